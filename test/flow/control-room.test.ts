// What the control room asks of the server besides steering: the log by what is looked for, imports in parts, and the
// books checked on demand. Over MongoDB's stand-in alone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { createAuditLog, type AuditEntry, type AuditLog } from '../../server/admin/audit-log.ts';
import type { AuditSources } from '../../server/audit/audit.ts';
import { createCheckBooks } from '../../server/audit/check-books.ts';
import { createFindings } from '../../server/audit/findings.ts';
import { createFindingsStore } from '../../server/audit/findings.store.ts';
import { createCatalog } from '../../server/catalog/catalog.ts';
import { createCatalogStore } from '../../server/catalog/catalog.store.ts';
import { createImportRecords } from '../../server/catalog/import-records.ts';
import { limits } from '../../server/limits.ts';
import { connectMongo, type MongoConnection } from '../../server/platform/mongo.ts';
import { sourcesOf, wholeBooks } from '../support/audit-books.ts';
import { type EmbeddedMongo, startEmbeddedMongo } from '../support/embedded-mongo.ts';

const log = pino({ level: 'silent' });
const clock = { nowMs: 1_000_000, now: () => clock.nowMs };

let mongo: EmbeddedMongo;
let connection: MongoConnection;
beforeAll(async () => {
  mongo = await startEmbeddedMongo();
  connection = await connectMongo({ uri: `${mongo.uri}/control`, log });
}, 30_000);
afterAll(async () => {
  await connection?.close();
  await mongo?.stop();
});

describe('the audit log', () => {
  let auditLog: AuditLog;
  beforeAll(async () => {
    auditLog = createAuditLog({ connection, clock: { ...clock, stop: () => {} }, log });
    await auditLog.ensureIndexes();
    const line = (who: string, what: string, outcome: AuditEntry['outcome'], target: string | null) =>
      auditLog.append({ who, what, outcome, target });
    line('ada', 'admin.drop.create', 'done', 'drop-1');
    line('ada', 'admin.drop.pause', 'done', 'drop-1');
    line('bo', 'admin.dropper', 'failed', 'drop-2');
    line('bo', 'admin.order.refund', 'refused', null);
    line('bo', 'admin.drop.pause', 'failed', 'drop-2');
    await auditLog.settled();
  });
  const found = async (query: Partial<Parameters<AuditLog['list']>[0]>) =>
    (await auditLog.list({ limit: 10, ...query })).map(({ seq }) => seq);

  it('is found by who, by what and everything under it, by outcome and by target, newest first', async () => {
    expect(await found({})).toEqual([4, 3, 2, 1, 0]);
    expect(await found({ who: 'ada' })).toEqual([1, 0]);
    expect(await found({ what: 'admin.drop' })).toEqual([4, 1, 0]);
    expect(await found({ what: 'admin.drop.pause' })).toEqual([4, 1]);
    expect(await found({ outcome: 'refused' })).toEqual([3]);
    expect(await found({ target: 'drop-2' })).toEqual([4, 2]);
    expect(await found({ target: 'drop-2', what: 'admin.drop', who: 'bo', beforeSeq: 4 })).toEqual([]);
  });
});

describe('an import in parts', () => {
  it('says of each record what becomes of it, writes nothing while it checks, and the same again changes nothing', async () => {
    const store = createCatalogStore(connection);
    await store.ensureIndexes();
    const changes = { announce: async () => undefined, listen: async () => async () => undefined };
    const catalog = await createCatalog({ store, changes, clock, log });
    const importRecords = createImportRecords(catalog);
    const records = [
      { number: 7, value: { id: 'lamp', name: 'Lamp', price: '19.90', weight: 3 } },
      { number: 8, value: { id: 'lamp', name: 'Lamp again', price: '19.90' } },
      { number: 9, value: { name: 'No price' } },
      { number: 10, value: { id: 'thief', name: 'Thief', price: 1, sku: 'lamp' } },
      { number: 11, value: ['no product'] },
      { number: 12, value: { id: 'bell', name: 'Bell\u0007', price: 3 } },
    ];
    const kinds = async (dryRun: boolean) =>
      (await importRecords(records, { currency: 'EUR', dryRun })).map(({ record, kind }) => [record, kind]);
    const checked = await importRecords(records, { currency: 'EUR', dryRun: true });
    expect(checked).toMatchObject([
      { record: 7, kind: 'good', productId: 'lamp', ignoredFields: ['weight'] },
      {
        record: 8,
        kind: 'refused',
        problems: [{ field: 'productId', reason: 'is the same product as record 7' }],
      },
      { record: 9, kind: 'refused', problems: [{ field: 'price', reason: 'is missing' }] },
      { record: 10, kind: 'good' },
      { record: 11, kind: 'refused', problems: [{ field: '', reason: 'a product must be a JSON object' }] },
      {
        record: 12,
        kind: 'good',
        adjusted: [{ field: 'title', reason: 'control characters were replaced' }],
      },
    ]);
    expect((await catalog.counts()).products).toBe(0);
    expect(await kinds(false)).toEqual([
      [7, 'created'],
      [8, 'refused'],
      [9, 'refused'],
      [10, 'refused'],
      [11, 'refused'],
      [12, 'created'],
    ]);
    expect((await kinds(false)).map(([, kind]) => kind).join()).toBe(
      'unchanged,refused,refused,refused,refused,unchanged',
    );
    expect((await catalog.counts()).products).toBe(2);
    await catalog.close();
  });
});

describe('the check of the books', () => {
  const sources = (wrong: boolean, onDrops: () => Promise<void> = async () => undefined): AuditSources => {
    const { stock, ...books } = wholeBooks();
    const whole = sourcesOf({ ...books, stock: { ...stock, available: wrong ? 0 : stock.available } });
    return {
      ...whole,
      async *drops() {
        await onDrops();
        yield* whole.drops();
      },
    };
  };
  const world = () => {
    const store = createFindingsStore(connection);
    const asked: string[] = [];
    const findings = createFindings({ store, clock, ask: async runId => void asked.push(runId) });
    const check = (wrong: boolean, onDrops?: () => Promise<void>) =>
      createCheckBooks({ store, sources: sources(wrong, onDrops), clock, log, looksMax: 1 });
    return { findings, check, asked };
  };

  it('is made once at a time, says how it went, and gives way where nobody does it any more', async () => {
    const { findings, check, asked } = world();
    expect(await findings.latest()).toBeNull();
    expect(await Promise.all([findings.start('ada'), findings.start('bo')])).toEqual(
      expect.arrayContaining([{ kind: 'started' }, { kind: 'running' }]),
    );
    expect(asked).toHaveLength(1);
    await check(false)(asked[0] ?? '');
    expect(await findings.latest()).toMatchObject({
      state: 'done',
      isLost: false,
      findings: [],
      checked: { drops: 1 },
      // The drop and its leaves, an order, a payment, two holds, two calls, three units and once more the sold one.
      documentsRead: 12,
      look: 1,
    });

    expect(await findings.start('bo')).toEqual({ kind: 'started' });
    expect(await findings.start('ada')).toEqual({ kind: 'running' });
    clock.nowMs += limits.findingsAliveMs + 1;
    expect(await findings.latest()).toMatchObject({ state: 'waiting', isLost: true, askedBy: 'bo' });
    expect(await findings.start('ada')).toEqual({ kind: 'started' });
    // The one that was given up comes late: it finds that it was overtaken, and writes nothing.
    await check(true)(asked[1] ?? '');
    expect(await findings.latest()).toMatchObject({ state: 'waiting', askedBy: 'ada', documentsRead: 0 });
    await check(false, async () => {
      throw new Error('Redis is away');
    })(asked[2] ?? '');
    expect(await findings.latest()).toMatchObject({ state: 'failed', failure: 'Redis is away' });
  });

  it('keeps what stays wrong', async () => {
    const { findings, check, asked } = world();
    await findings.start('ada');
    await check(true)(asked[0] ?? '');
    expect(await findings.latest()).toMatchObject({
      state: 'done',
      findingsCount: 1,
      findings: [{ invariant: 1, document: 'drop-1/a', what: expect.stringContaining('is not the total 3') }],
    });
  });
});
