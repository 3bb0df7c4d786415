// Books made by hand for the audit: a drop with a lobby, one paid order, one hold. As they come they are whole; a test
// plants in them what is to be found.
import { runAudit, type AuditSources } from '../../server/audit/audit.ts';
import type {
  AuditCall,
  AuditCard,
  AuditCoupon,
  AuditDrop,
  AuditHold,
  AuditLobby,
  AuditOrder,
  AuditPayment,
  AuditRefund,
  AuditUnit,
} from '../../server/audit/audit-sources.ts';
import { joinHashes, merkleRoot } from '../../client/fairness/merkle.ts';
import type { FallingPrices } from '../../server/audit/check-prices.ts';
import { toHex } from '../../client/fairness/bytes.ts';
import {
  callChainHash,
  callChainStart,
  lobbyKey,
  lobbyRoot,
  seedHash as hashOfSeed,
  ticketLeaf,
} from '../../client/fairness/commitments.ts';

const dropId = 'drop-1';
export const nowMs = 1_000_000_000;
const seed = Buffer.alloc(32, 7).toString('base64url');
const seedHash = hashOfSeed(seed) ?? '';
const leaves = joinHashes(
  ['a', 'b', 'c'].map(nonce => ticketLeaf({ dropId, buyerId: `buyer-${nonce}`, nonce })),
);
const lanes = [{ lane: 'general', size: 3, root: toHex(merkleRoot(leaves)) }];
const root = lobbyRoot(dropId, lanes);
const key = lobbyKey({ seed, dropId, root, beacon: '', beaconValue: '' }) ?? '';

export interface Books {
  drop: AuditDrop;
  stock: { sku: string; total: number; available: number; held: number; sold: number; withdrawn: number };
  orders: AuditOrder[];
  units: AuditUnit[];
  /** The serials that the ledger has. */
  serials: { unitId: string; serial: number }[];
  payments: AuditPayment[];
  holds: AuditHold[];
  bought: Record<string, number>;
  cards: AuditCard[];
  coupons: AuditCoupon[];
  /** By code, the holds that Redis counts a use for; null where it has lost some. */
  couponUses: Record<string, string[] | null>;
  calls: AuditCall[];
  lobby: AuditLobby | null;
  leaves: Uint8Array;
  falling?: FallingPrices;
  lateEvents: { eventId: string; dueAtMs: number }[];
}

export function chained(calls: readonly Omit<AuditCall, 'hash'>[]): AuditCall[] {
  let hash = callChainStart(dropId, seedHash);
  return calls.map(call => {
    hash = callChainHash(hash, call);
    return { ...call, hash };
  });
}

export const order = (change: Partial<AuditOrder> = {}): AuditOrder => ({
  orderId: 'ord_hold-1',
  holdId: 'hold-1',
  dropId,
  buyerId: 'buyer-1',
  status: 'paid',
  reason: null,
  rev: 2,
  totalAmount: 1_000,
  currency: 'EUR',
  lines: [{ sku: 'a', quantity: 1, unitAmount: 1_000 }],
  createdAtMs: nowMs - 30_000,
  serials: [{ sku: 'a', serial: 1 }],
  refundedAmount: 0,
  refunds: [],
  intent: { id: 'pi-1', params: { amount: 1_000, currency: 'EUR' } },
  coupon: null,
  perCardMax: null,
  card: null,
  payDeadlineMs: nowMs - 10_000,
  settledAtMs: nowMs - 20_000,
  releasedAtMs: null,
  dueAtMs: null,
  history: [{ status: 'pending' }, { status: 'authorized' }, { status: 'paid' }],
  ...change,
});
/** Another buyer's order that ended unpaid and has given everything back. */
export const expired = (change: Partial<AuditOrder> = {}): AuditOrder =>
  order({
    orderId: 'ord_hold-2',
    holdId: 'hold-2',
    buyerId: 'buyer-3',
    status: 'expired',
    reason: 'window-ended',
    serials: [],
    intent: null,
    settledAtMs: null,
    releasedAtMs: nowMs - 5_000,
    history: [{ status: 'pending' }, { status: 'closing' }, { status: 'expired' }],
    ...change,
  });
export const refund = (change: Partial<AuditRefund> = {}): AuditRefund => ({
  refundId: 'r-1',
  amount: 400,
  status: 'refunded',
  restock: [],
  restockedAtMs: null,
  paymentRefundId: 're-1',
  ...change,
});
export const unit = (change: Partial<AuditUnit> = {}): AuditUnit => ({
  unitId: 'drop-1/a/1',
  dropId,
  sku: 'a',
  serial: 1,
  orderId: 'ord_hold-1',
  slot: 'a/0',
  ...change,
});
export const payment = (change: Partial<AuditPayment> = {}): AuditPayment => ({
  paymentId: 'pi-1',
  orderId: 'ord_hold-1',
  status: 'succeeded',
  amount: 1_000,
  currency: 'EUR',
  capturedAmount: 1_000,
  refundedAmount: 0,
  authorizedAtMs: nowMs - 30_000,
  ...change,
});
export const hold = (change: Partial<AuditHold> = {}): AuditHold => ({
  holdId: 'hold-9',
  dropId,
  buyerId: 'buyer-2',
  state: 'held',
  lines: [{ sku: 'a', quantity: 1 }],
  expiresAtMs: nowMs + 30_000,
  ...change,
});

export function wholeBooks(change: Partial<Books> = {}): Books {
  const view = {
    nowMs,
    soldOutAtMs: null,
    key,
    lanes: [{ lane: 'general', arrived: 3, serving: 3 }],
    stock: [],
  };
  return {
    drop: {
      dropId,
      mode: 'shuffle',
      seed,
      seedHash,
      beacon: null,
      ended: false,
      perBuyerMax: 2,
      totals: new Map([['a', 3]]),
      view,
    },
    stock: { sku: 'a', total: 3, available: 1, held: 1, sold: 1, withdrawn: 0 },
    orders: [order()],
    units: [unit()],
    serials: [1, 2, 3].map(serial => ({ unitId: `drop-1/a/${serial}`, serial })),
    payments: [payment()],
    holds: [hold(), hold({ holdId: 'hold-1', buyerId: 'buyer-1', state: 'settled' })],
    bought: { 'buyer-1': 1, 'buyer-2': 1 },
    cards: [],
    coupons: [],
    couponUses: {},
    calls: chained([
      { seq: 0, atMs: 1, lane: 'general', from: 0, to: 2 },
      { seq: 1, atMs: 2, lane: 'general', from: 2, to: 3 },
    ]),
    lobby: { root, frozenAtMs: 1, beaconValue: null, lanes },
    leaves,
    lateEvents: [],
    ...change,
  };
}

export function sourcesOf(books: Books): AuditSources {
  const { drop } = books;
  const ascending = <T extends { orderId: string }>(items: readonly T[]) =>
    items.toSorted((a, b) => (a.orderId < b.orderId ? -1 : 1));
  return {
    nowMs: () => nowMs,
    countDocuments: async () => 1,
    fallingPrices: async () => new Map([[dropId, books.falling ?? new Map()]]),
    drops: () => each([{ ...drop, view: drop.view && { ...drop.view, stock: [books.stock] } }]),
    orders: () => each(ascending(books.orders)),
    ownedUnits: () => each(ascending(books.units)),
    unitsOf: () => each(books.serials),
    payments: () => each(books.payments),
    holds: () => each(books.holds),
    bought: async (_dropId, buyerIds) => buyerIds.map(buyerId => books.bought[buyerId] ?? 0),
    cards: () => each(books.cards),
    coupons: () => each(books.coupons),
    couponUsesCount: async code => books.couponUses[code]?.length ?? null,
    areCouponUses: async (code, holdIds) =>
      holdIds.map(holdId => books.couponUses[code]?.includes(holdId) ?? false),
    calls: () => each(books.calls),
    lobby: async () => books.lobby,
    leaves: () => each([{ lane: 'general', from: 0, leaves: books.leaves }]),
    lateEvents: beforeMs => each(books.lateEvents.filter(({ dueAtMs }) => dueAtMs < beforeMs)),
  };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** What the audit finds, as `invariant document: what`. */
export async function findingsOf(books: Books): Promise<string[]> {
  const report = await runAudit(sourcesOf(books), { looksMax: 1 });
  if (report.ok !== (report.findings.length === 0)) throw new Error('the report contradicts itself');
  return report.findings.map(finding => `${finding.invariant} ${finding.document}: ${finding.what}`);
}
