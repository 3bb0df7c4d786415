// What the audit must bring into another order than it can be read in, and the sums that it makes by buyer and by card:
// on disk, in a SQLite database of its own that is gone with it, so that memory stays the same whatever there is.
import { DatabaseSync } from 'node:sqlite';
import type { AuditHold, AuditPayment, OrderLine } from './audit-sources.ts';

export interface CouponUse {
  readonly code: string;
  readonly orderId: string;
  readonly holdId: string;
  readonly buyerId: string;
}

export interface Spool {
  addPayments(payments: readonly AuditPayment[]): void;
  /** Those that name the order; from here on they count as met. */
  takePayments(orderId: string): AuditPayment[];
  unmetPayments(): Iterable<AuditPayment>;
  /** The same hold again replaces it. */
  addHolds(holds: readonly AuditHold[]): void;
  takeHold(holdId: string): AuditHold | null;
  unmetHolds(): Iterable<AuditHold>;
  liveHolds(): Iterable<AuditHold>;
  /** Adds to what a buyer has of a drop. */
  addToBuyer(dropId: string, buyerId: string, unitsCount: number): void;
  buyers(dropId: string): Iterable<{ buyerId: string; unitsCount: number }>;
  /** Adds to what was paid with a card; `max` is the limit that it was paid under. */
  addToCard(cardId: string, unitsCount: number, max: number): void;
  cards(): Iterable<{ cardId: string; unitsCount: number; max: number }>;
  unitsOfCard(cardId: string): number;
  /** A paid order with a coupon. */
  addCouponUse(use: CouponUse): void;
  couponUsesCount(code: string): number;
  couponUses(code: string): Iterable<CouponUse>;
  /** Those who paid with it more than once. */
  couponBuyers(code: string): Iterable<{ buyerId: string; usesCount: number }>;
  /** From here on the coupon counts as met. */
  meetCoupon(code: string): void;
  unmetCoupons(): Iterable<CouponUse>;
  close(): void;
}

/** SQLite's own memory: what is more lies on disk. */
const cacheKib = 8_192;

const schema = `
CREATE TABLE payments (order_id TEXT, payment_id TEXT PRIMARY KEY, met INTEGER DEFAULT 0, body TEXT) WITHOUT ROWID;
CREATE INDEX payments_by_order ON payments (order_id);
CREATE TABLE holds (hold_id TEXT PRIMARY KEY, state TEXT, met INTEGER DEFAULT 0, body TEXT) WITHOUT ROWID;
CREATE TABLE buyers (drop_id TEXT, buyer TEXT, units INTEGER, PRIMARY KEY (drop_id, buyer)) WITHOUT ROWID;
CREATE TABLE cards (card_id TEXT PRIMARY KEY, units INTEGER, max INTEGER) WITHOUT ROWID;
CREATE TABLE uses (code TEXT, order_id TEXT, hold_id TEXT, buyer TEXT, PRIMARY KEY (code, order_id)) WITHOUT ROWID;
CREATE TABLE met_coupons (code TEXT PRIMARY KEY) WITHOUT ROWID;
`;

export function openSpool(): Spool {
  // An empty name is a private database in a temporary file, which SQLite makes once its cache is full.
  const db = new DatabaseSync('');
  db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${cacheKib};`);
  db.exec(schema);
  db.exec('BEGIN');
  const insertPayment = db.prepare(
    'INSERT OR REPLACE INTO payments (order_id, payment_id, body) VALUES (?, ?, ?)',
  );
  const findPayments = db.prepare('SELECT body FROM payments WHERE order_id = ? ORDER BY payment_id');
  const meetPayments = db.prepare('UPDATE payments SET met = 1 WHERE order_id = ?');
  const insertHold = db.prepare('INSERT OR REPLACE INTO holds (hold_id, state, body) VALUES (?, ?, ?)');
  const findHold = db.prepare('SELECT body FROM holds WHERE hold_id = ?');
  const meetHold = db.prepare('UPDATE holds SET met = 1 WHERE hold_id = ?');
  const addBuyer = db.prepare(
    'INSERT INTO buyers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET units = units + excluded.units',
  );
  const addCard = db.prepare(
    'INSERT INTO cards VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET units = units + excluded.units, max = max(max, excluded.max)',
  );
  const addUse = db.prepare('INSERT OR REPLACE INTO uses VALUES (?, ?, ?, ?)');
  const countUses = db.prepare('SELECT count(*) AS uses FROM uses WHERE code = ?');
  const addMet = db.prepare('INSERT OR IGNORE INTO met_coupons VALUES (?)');
  const findCard = db.prepare('SELECT units FROM cards WHERE card_id = ?');

  // What is read here was written here.
  const paymentOf = (row: Row): AuditPayment => JSON.parse(String(row['body']));
  const holdOf = (row: Row): AuditHold => JSON.parse(String(row['body']));
  const useOf = (row: Row): CouponUse => ({
    code: String(row['code']),
    orderId: String(row['order_id']),
    holdId: String(row['hold_id']),
    buyerId: String(row['buyer']),
  });
  function* rows<T>(sql: string, read: (row: Row) => T, ...values: string[]): Generator<T> {
    for (const row of db.prepare(sql).iterate(...values)) yield read(row);
  }

  return {
    addPayments(payments) {
      for (const payment of payments)
        insertPayment.run(payment.orderId, payment.paymentId, JSON.stringify(payment));
    },
    takePayments(orderId) {
      const found = findPayments.all(orderId);
      if (found.length > 0) meetPayments.run(orderId);
      return found.map(paymentOf);
    },
    unmetPayments: () =>
      rows('SELECT body FROM payments WHERE met = 0 ORDER BY order_id, payment_id', paymentOf),
    addHolds(holds) {
      for (const hold of holds) insertHold.run(hold.holdId, hold.state, JSON.stringify(hold));
    },
    takeHold(holdId) {
      const found = findHold.get(holdId);
      if (!found) return null;
      meetHold.run(holdId);
      return holdOf(found);
    },
    unmetHolds: () => rows('SELECT body FROM holds WHERE met = 0', holdOf),
    liveHolds: () => rows("SELECT body FROM holds WHERE state IN ('held', 'paying')", holdOf),
    addToBuyer: (dropId, buyerId, unitsCount) => void addBuyer.run(dropId, buyerId, unitsCount),
    buyers: dropId =>
      rows(
        'SELECT buyer, units FROM buyers WHERE drop_id = ?',
        row => ({ buyerId: String(row['buyer']), unitsCount: Number(row['units']) }),
        dropId,
      ),
    addToCard: (cardId, unitsCount, max) => void addCard.run(cardId, unitsCount, max),
    cards: () =>
      rows('SELECT card_id, units, max FROM cards', row => ({
        cardId: String(row['card_id']),
        unitsCount: Number(row['units']),
        max: Number(row['max']),
      })),
    unitsOfCard: cardId => Number(findCard.get(cardId)?.['units'] ?? 0),
    addCouponUse: use => void addUse.run(use.code, use.orderId, use.holdId, use.buyerId),
    couponUsesCount: code => Number(countUses.get(code)?.['uses'] ?? 0),
    couponUses: code => rows('SELECT * FROM uses WHERE code = ?', useOf, code),
    couponBuyers: code =>
      rows(
        'SELECT buyer, count(*) AS uses FROM uses WHERE code = ? GROUP BY buyer HAVING count(*) > 1',
        row => ({ buyerId: String(row['buyer']), usesCount: Number(row['uses']) }),
        code,
      ),
    meetCoupon: code => void addMet.run(code),
    unmetCoupons: () =>
      rows('SELECT * FROM uses WHERE code NOT IN (SELECT code FROM met_coupons) ORDER BY order_id', useOf),
    close: () => db.close(),
  };
}

type Row = Record<string, unknown>;

export function unitsIn(lines: readonly OrderLine[]): number {
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}
