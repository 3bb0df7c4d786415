// Every procedure of the shop against every role: who is not allowed to is refused before anything is read, and the
// refusal is written down. The table is written out here, so that a new procedure has to be given its place.
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AuditEntry } from '../../server/admin/audit-log.ts';
import { highestRole, mayAct, roles, type Role } from '../../server/admin/roles.rules.ts';
import { createApi, type ApiParts } from '../../server/api.ts';
import { newBuyerId } from '../../server/ids.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { compileProcedure } from '../../server/transport/compile-procedure.ts';
import type { Caller, Context } from '../../server/trpc.ts';

const leastRoles: Record<string, Role> = {
  'admin.whoami': 'viewer',
  'admin.stats': 'viewer',
  'admin.audit': 'viewer',
  'admin.findings.get': 'viewer',
  'admin.findings.start': 'operator',
  'admin.drop.get': 'viewer',
  'admin.drop.list': 'viewer',
  'admin.drop.report': 'viewer',
  'admin.drop.open': 'operator',
  'admin.drop.pause': 'operator',
  'admin.drop.resume': 'operator',
  'admin.drop.close': 'operator',
  'admin.drop.throttle': 'operator',
  'admin.drop.message': 'operator',
  'admin.drop.beacon': 'operator',
  'admin.drop.create': 'admin',
  'admin.drop.update': 'admin',
  'admin.product.get': 'viewer',
  'admin.product.list': 'viewer',
  'admin.product.counts': 'viewer',
  'admin.product.upsert': 'admin',
  'admin.product.remove': 'admin',
  'admin.product.check': 'admin',
  'admin.product.import': 'admin',
  'admin.reprice.preview': 'admin',
  'admin.reprice.start': 'admin',
  'admin.reprice.step': 'admin',
  'admin.reprice.end': 'admin',
  'admin.coupon.list': 'viewer',
  'admin.coupon.create': 'admin',
  'admin.coupon.disable': 'operator',
  'admin.group.list': 'viewer',
  'admin.group.put': 'admin',
  'admin.group.remove': 'admin',
  'admin.group.putBuyer': 'admin',
  'admin.group.buyer': 'operator',
  'admin.rate.list': 'viewer',
  'admin.rate.put': 'admin',
  'admin.rate.remove': 'admin',
  'admin.search.synonyms': 'viewer',
  'admin.search.results': 'viewer',
  'admin.search.putSynonyms': 'admin',
  'admin.search.removeSynonyms': 'admin',
  'admin.search.putResults': 'admin',
  'admin.search.removeResults': 'admin',
  'admin.order.get': 'operator',
  'admin.order.list': 'operator',
  'admin.order.cancel': 'operator',
  'admin.order.fulfil': 'operator',
  'admin.order.refund': 'admin',
};

const nothing: object = new Proxy({}, { get: () => nothing });
const procedures = Object.entries(createApi(z.custom<ApiParts>().parse(nothing))._def.procedures).flatMap(
  ([name, node]) => flat(name, node),
);

function flat(name: string, node: unknown): { name: string; procedure: unknown }[] {
  if (typeof node === 'function') return [{ name, procedure: node }];
  return Object.entries(z.record(z.string(), z.unknown()).parse(node)).flatMap(([part, inner]) =>
    flat(`${name}.${part}`, inner),
  );
}

/** What a call without a usable input comes to: whoever gets as far as the input is let in. */
async function callAs(caller: Caller, name: string) {
  const found = procedures.find(each => each.name === name);
  const procedure = z.custom<Parameters<typeof compileProcedure>[0]>().parse(found?.procedure);
  const written: AuditEntry[] = [];
  const ctx: Context = {
    caller,
    address: '127.0.0.1',
    userAgent: undefined,
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    rates: { consume: async () => undefined },
    audit: { append: entry => void written.push(entry) },
  };
  const type = z.enum(['query', 'mutation']).catch('query').parse(procedure._def.type);
  const code = await compileProcedure(procedure)({
    path: name,
    type,
    batchIndex: 0,
    getRawInput: async () => ({ unknownKey: true }),
    ctx,
    signal: new AbortController().signal,
  }).then(
    () => 'answered',
    (error: unknown) => z.object({ code: z.string() }).parse(error).code,
  );
  return { code, written };
}

describe('a procedure of the shop', () => {
  it('stands in the table with its least role, each of them, and nothing else does', () => {
    const ours = procedures.map(({ name }) => name).filter(name => name.startsWith('admin.'));
    expect(ours.toSorted()).toEqual(Object.keys(leastRoles).toSorted());
  });

  it.each(Object.entries(leastRoles))('%s is for %s and above, and for nobody else', async (name, least) => {
    const answers = await Promise.all(
      roles.map(role => callAs({ kind: 'admin', name: 'somebody', role }, name)),
    );
    const isLetIn = answers.map(({ code }) => !/FORBIDDEN|UNAUTHORIZED/.test(code));
    expect(isLetIn).toEqual(roles.map(role => mayAct(role, least)));
    const refusal = { who: 'somebody', what: name, outcome: 'refused', target: null };
    const refusals = answers.flatMap(({ written }) => written.filter(({ outcome }) => outcome === 'refused'));
    expect(refusals).toEqual(roles.filter(role => !mayAct(role, least)).map(() => refusal));
    const buyerId = newBuyerId();
    const buyer = await callAs({ kind: 'buyer', buyerId, expiresAtMs: Number.MAX_SAFE_INTEGER }, name);
    expect(buyer).toEqual({
      code: 'FORBIDDEN',
      written: [{ who: buyerId, what: name, outcome: 'refused', target: null }],
    });
    expect((await callAs({ kind: 'nobody', why: 'bad-token' }, name)).code).toBe('UNAUTHORIZED');
  });
});

describe('a role', () => {
  it('may do what the lesser ones may, and a token has the highest that it claims', () => {
    expect(roles.map(role => roles.map(least => mayAct(role, least)))).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
    expect(highestRole(['viewer', 'admin', 'baker'])).toBe('admin');
    expect(highestRole(['baker', 'Admin', undefined, 7])).toBeNull();
  });
});
