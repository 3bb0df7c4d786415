// Whatever indexes there are, a query's answer is that of reading every document. Random documents (arrays,
// nulls, missing fields, several types), random indexes (compound, descending, partial, sparse, over arrays),
// random filters and sorts; changes in between, so that index keys are added, moved and removed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Binary, BSONRegExp, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decode, encode } from '../../server/embedded/mongo/bson/codec.ts';
import { keepElements } from '../../server/embedded/mongo/bson/elements.ts';
import { MongoFault } from '../../server/embedded/mongo/errors.ts';
import { matches } from '../../server/embedded/mongo/query/filter.ts';
import { countMatching, parseSelection, select } from '../../server/embedded/mongo/query/find.ts';
import { parseProjection } from '../../server/embedded/mongo/query/projection.ts';
import { Catalog } from '../../server/embedded/mongo/storage/catalog.ts';
import type { Collection } from '../../server/embedded/mongo/storage/collection.ts';
import { Database } from '../../server/embedded/mongo/storage/database.ts';
import { parseIndexSpec } from '../../server/embedded/mongo/storage/index-spec.ts';
import { anyText } from '../support/any-text.ts';

let directory: string;
let database: Database;
let catalog: Catalog;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'doorbuster-planner-'));
  database = new Database({ dataDir: directory });
  catalog = new Catalog(database);
});
afterAll(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

// Few values and paths, so that they meet: small numbers, and strings that begin each other with the bytes
// that keys escape.
const number = fc.constantFrom<unknown>(0, 1, 2, 3);
const scalar = fc.oneof(
  { weight: 3, arbitrary: number },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, 'a', 'a\0', 'a\u0001', true, new Date(7), 1.5) },
);
const inner = fc.record({ x: scalar, y: scalar }, { requiredKeys: [] });
const fieldValue = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 3, arbitrary: fc.array(inner, { maxLength: 3 }) },
  { weight: 1, arbitrary: inner },
);
const FIELDS = ['a', 'b', 'c'] as const;
const PATHS = ['a', 'a.x', 'a.y', 'b', 'c'] as const;
const document = fc.record({ a: fieldValue, b: fieldValue, c: scalar }, { requiredKeys: [] });

const condition = fc.oneof(
  { weight: 4, arbitrary: number },
  scalar,
  fc.record({ $in: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
  ...(['$gt', '$gte', '$lt', '$lte', '$eq', '$ne'] as const).map(operator =>
    scalar.map(value => ({ [operator]: value })),
  ),
  { weight: 2, arbitrary: fc.tuple(number, number).map(([low, high]) => ({ $gte: low, $lt: high })) },
  fc.boolean().map(exists => ({ $exists: exists })),
  fc.constant({ $type: 'string' }),
  fc.tuple(scalar, scalar).map(([x, y]) => ({ $elemMatch: { x, y } })),
);
const plainFilter = fc
  .array(fc.tuple(fc.constantFrom(...PATHS), condition), { minLength: 1, maxLength: 3 })
  .map(entries => ({ $and: entries.map(([field, value]) => ({ [field]: value })) }));
const filter = fc.oneof(
  { weight: 4, arbitrary: plainFilter },
  {
    weight: 1,
    arbitrary: fc.array(plainFilter, { minLength: 2, maxLength: 3 }).map(branches => ({ $or: branches })),
  },
  { weight: 1, arbitrary: fc.constant({}) },
);
/** What many documents match, and an index says by itself. */
const wideFilter = fc.constantFrom<Record<string, unknown>>(
  { c: { $gte: 0 } },
  { c: { $lt: 3 } },
  { c: { $in: [0, 1] } },
);
const direction = fc.constantFrom<1 | -1>(1, -1);
const sort = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...PATHS), direction), { maxLength: 2, selector: ([field]) => field })
  .chain(fields => direction.map(last => Object.fromEntries([...fields, ['_id', last]])));
const index = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...PATHS, '_id'), direction), {
    minLength: 1,
    maxLength: 3,
    selector: ([field]) => field,
  })
  .chain(fields =>
    fc
      .constantFrom(
        {},
        {},
        {},
        { sparse: true },
        { partialFilterExpression: { a: { $type: 'string' } } },
        { partialFilterExpression: { c: { $gt: 0 } } },
        { partialFilterExpression: { b: { $exists: true } } },
      )
      .map(options => ({ key: Object.fromEntries(fields), ...options })),
  );

const idsOf = (collection: Collection, spec: Parameters<typeof parseSelection>[0]): unknown[] =>
  [...select(collection, parseSelection(spec))].map(stored => stored.doc['_id']);

it('gives the same answer through its indexes as without them', { timeout: 120_000 }, () => {
  let run = 0;
  fc.assert(
    fc.property(
      fc.array(document, { minLength: 5, maxLength: 30 }),
      fc.array(index, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(filter, sort), { minLength: 5, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...FIELDS), fieldValue), { maxLength: 6 }),
      (documents, indexes, queries, changes) => {
        run += 1;
        database.exec('BEGIN');
        try {
          const collection = catalog.create('d', `c${run}`);
          for (const [at, spec] of indexes.entries())
            catalog.addIndex(collection, parseIndexSpec({ ...spec, name: `i${at}` }));
          for (const [at, each] of documents.entries())
            tolerantly(() => collection.insert({ _id: at, ...each }));
          for (const [at, field, value] of changes) change(collection, at % documents.length, field, value);
          for (const [where, order] of queries) {
            const spec = { filter: where, sort: order };
            const expected = idsOf(collection, { ...spec, hint: { $natural: 1 } });
            expect(idsOf(collection, spec)).toEqual(expected);
            expect(idsOf(collection, { ...spec, skip: 1, limit: 3 })).toEqual(expected.slice(1, 4));
            expect(countMatching(collection, parseSelection({ filter: where }))).toBe(expected.length);
          }
        } finally {
          database.exec('ROLLBACK');
          catalog.reload();
        }
      },
    ),
    { numRuns: 300 },
  );
});

it('shows nothing that no longer matches, however a scan was left open, and nothing that was left alone twice', {
  timeout: 120_000,
}, () => {
  let run = 0;
  fc.assert(
    fc.property(
      fc.array(document, { minLength: 12, maxLength: 40 }),
      fc.array(index, { minLength: 1, maxLength: 2 }),
      fc.array(fc.tuple(fc.oneof(filter, wideFilter), fc.oneof(sort, fc.constant({}))), {
        minLength: 3,
        maxLength: 6,
      }),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...FIELDS), fieldValue), { minLength: 1, maxLength: 12 }),
      fc.nat(9),
      (documents, indexes, queries, changes, seenBefore) => {
        run += 1;
        database.exec('BEGIN');
        try {
          const collection = catalog.create('d', `o${run}`);
          catalog.addIndex(collection, parseIndexSpec({ key: { c: 1 }, name: 'c' }));
          for (const [at, spec] of indexes.entries())
            catalog.addIndex(collection, parseIndexSpec({ ...spec, name: `i${at}` }));
          for (const [at, each] of documents.entries())
            tolerantly(() => collection.insert({ _id: at, ...each }));
          for (const [where, order] of queries) {
            const selection = parseSelection({ filter: where, sort: order });
            const matching = new Set(idsOf(collection, { filter: where }));
            const open = select(collection, selection);
            const seen: unknown[] = [];
            for (let count = 0; count < seenBefore; count += 1) {
              const { done, value } = open.next();
              if (done) break;
              seen.push(value.doc['_id']);
            }
            const changed = new Set<unknown>();
            for (const [at, field, value] of changes) {
              const id = at % documents.length;
              changed.add(id);
              change(collection, id, field, value);
            }
            for (const { doc } of open) {
              expect(matches(selection.filter, doc)).toBe(true);
              seen.push(doc['_id']);
            }
            const leftAlone = [...matching].filter(id => !changed.has(id));
            const times = leftAlone.map(id => seen.filter(each => each === id).length);
            expect(times).toEqual(leftAlone.map(() => 1));
          }
        } finally {
          database.exec('ROLLBACK');
          catalog.reload();
        }
      },
    ),
    { numRuns: 150 },
  );
});

it('shows what stands, where a scan was begun in a turn that was undone', () => {
  const collection = catalog.create('d', 'undone');
  catalog.addIndex(collection, parseIndexSpec({ key: { a: 1 }, name: 'a' }));
  const idsCount = 20;
  for (let id = 0; id < idsCount; id += 1) collection.insert({ _id: id, a: id % 2 });
  database.exec('BEGIN');
  for (let id = 0; id < idsCount; id += 1) change(collection, id, 'a', 1);
  const open = select(collection, parseSelection({ filter: { a: 1 } }));
  open.next();
  database.exec('ROLLBACK');
  catalog.reload();
  for (const { doc } of open) expect(doc).toMatchObject({ a: 1 });
});

it('keeps fields as they are stored as it does by decoding them', () => {
  const name = fc.constantFrom('_id', 'a', 'b', 'täg', 'a0', '__proto', 'hasOwnProperty', 'c');
  const leaf = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true }),
    anyText(),
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 9 }).map(bytes => new Binary(bytes)),
    fc.constantFrom<unknown>(
      new ObjectId(),
      new BSONRegExp('^a.*', 'i'),
      new MinKey(),
      new MaxKey(),
      new Timestamp({ t: 1, i: 2 }),
    ),
  );
  const value = fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(name, leaf, { maxKeys: 3 }));
  fc.assert(
    fc.property(
      fc.dictionary(name, value),
      fc.uniqueArray(name, { minLength: 1 }),
      fc.boolean(),
      (doc, names, hasId) => {
        const fields = names.filter(each => each !== '_id');
        fc.pre(fields.length > 0);
        const spec = Object.fromEntries(fields.map(each => [each, 1]));
        const projection = parseProjection(hasId ? spec : { ...spec, _id: 0 });
        const bytes = encode(doc);
        if (!projection?.kept) throw new Error('this projection keeps whole fields');
        expect(Buffer.from(keepElements(bytes, projection.kept))).toEqual(
          Buffer.from(encode(projection(decode(bytes)))),
        );
      },
    ),
  );
});

/** Parallel arrays are refused, and leave the document as it was; anything else is a fault. */
function tolerantly(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof MongoFault) || error.codeName !== 'CannotIndexParallelArrays') throw error;
  }
}

function change(collection: Collection, id: number, field: string, value: unknown): void {
  const [stored] = select(collection, parseSelection({ filter: { _id: id } }));
  if (!stored) return;
  if (value === null && field === 'c') collection.remove(stored);
  else tolerantly(() => collection.replace(stored, { ...stored.doc, [field]: value }));
}
