/** insert, update, delete. */
import { assertExact, type Doc } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import { collectRowIds, parseSelection } from '../query/find.ts';
import { matches } from '../query/filter.ts';
import type { Collection } from '../storage/collection.ts';
import { applyUpdate, parseUpdate, upsertDocument, withId } from '../update/update.ts';
import {
  assertNoCollation,
  collectionName,
  type Command,
  type CommandContext,
  flag,
  runBatch,
  statements,
  withErrors,
} from './command.ts';

export const insert: Command = {
  fields: ['documents', 'ordered', 'bypassDocumentValidation'],
  run: (command, context) => {
    const documents = statements(command, 'documents');
    const collection = context.catalog.obtain(context.db, collectionName(command, 'insert'));
    let n = 0;
    const writeErrors = runBatch(documents, flag(command, 'ordered', true), doc => {
      assertExact(doc, 'document');
      collection.insert(withId(doc));
      n += 1;
    });
    return withErrors({ n }, writeErrors);
  },
};

const DELETE_FIELDS = ['q', 'limit', 'hint', 'collation'];
const UPDATE_FIELDS = ['q', 'u', 'multi', 'upsert', 'arrayFilters', 'hint', 'collation', 'sort'];

export const update: Command = {
  fields: ['updates', 'ordered', 'bypassDocumentValidation', 'let'],
  run: (command, context) => {
    const name = collectionName(command, 'update');
    assertNoCollation(command);
    const counts = { n: 0, nModified: 0 };
    const upserted: Doc[] = [];
    const writeErrors = runBatch(
      statements(command, 'updates', UPDATE_FIELDS),
      flag(command, 'ordered', true),
      (statement, index) => {
        const id = updateOneStatement(statement, { context, name, counts });
        if (id) upserted.push({ index, _id: id.value });
      },
    );
    return withErrors(upserted.length > 0 ? { ...counts, upserted } : counts, writeErrors);
  },
};

interface UpdateRun {
  readonly context: CommandContext;
  readonly name: string;
  readonly counts: { n: number; nModified: number };
}

function updateOneStatement(statement: Doc, run: UpdateRun): { value: unknown } | undefined {
  assertNoCollation(statement);
  const parsed = parseUpdate(statement['u'], statement['arrayFilters']);
  const multi = flag(statement, 'multi');
  if (multi && parsed.kind === 'replacement')
    throw new MongoFault('FailedToParse', 'multi update is not supported for replacement-style update');
  if (multi && statement['sort'] !== undefined)
    throw new MongoFault('FailedToParse', 'Cannot specify sort with multi=true');
  const selection = parseSelection({
    filter: statement['q'],
    sort: statement['sort'],
    limit: multi ? 0 : 1,
    hint: statement['hint'],
  });
  const { catalog, db } = run.context;
  const collection = catalog.find(db, run.name);
  let matched = 0;
  for (const rowId of collection ? collectRowIds(collection, selection) : []) {
    const stored = collection?.read(rowId);
    if (!collection || !stored || !matches(selection.filter, stored.doc)) continue;
    matched += 1;
    const next = applyUpdate(parsed, { doc: stored.doc, filter: selection.filter, inserting: false });
    if (collection.replace(stored, next)) run.counts.nModified += 1;
    run.counts.n += 1;
  }
  if (matched > 0 || !flag(statement, 'upsert')) return undefined;
  const doc = upsertDocument(parsed, selection.filter);
  catalog.obtain(db, run.name).insert(doc);
  run.counts.n += 1;
  return { value: doc['_id'] };
}

export const remove: Command = {
  fields: ['deletes', 'ordered', 'let'],
  run: (command, context) => {
    const collection = context.catalog.find(context.db, collectionName(command, 'delete'));
    assertNoCollation(command);
    let n = 0;
    const writeErrors = runBatch(
      statements(command, 'deletes', DELETE_FIELDS),
      flag(command, 'ordered', true),
      statement => {
        assertNoCollation(statement);
        const limit = statement['limit'];
        if (limit !== 0 && limit !== 1)
          throw new MongoFault(
            'FailedToParse',
            `The limit field in delete objects must be 0 or 1. Got ${JSON.stringify(limit)}`,
          );
        n += deleteMatching(collection, statement, limit);
      },
    );
    return withErrors({ n }, writeErrors);
  },
};

function deleteMatching(collection: Collection | undefined, statement: Doc, limit: number): number {
  const selection = parseSelection({ filter: statement['q'], limit, hint: statement['hint'] });
  if (!collection) return 0;
  let gone = 0;
  for (const rowId of collectRowIds(collection, selection)) {
    const stored = collection.read(rowId);
    if (!stored) continue;
    collection.remove(stored);
    gone += 1;
  }
  return gone;
}
