/** The stand-in's own account of the money, summed up from the ledger: what a drill's or an audit's gates compare with. */

import type { Account } from './account.ts';

export interface Books {
  paymentIntents: number;
  byStatus: Record<string, number>;
  /** Per currency, in minor units. `authorized` is held on cards and neither captured nor released. */
  totals: Record<string, { captured: number; refunded: number; authorized: number; paid: number }>;
}

export function readBooks({ db }: Account, metadata: Readonly<Record<string, string>>): Books {
  const { where, values } = filterOf(metadata);
  const books = emptyBooks();
  for (const row of db
    .prepare(`SELECT ${SUMS} FROM ledger ${where} GROUP BY status, currency`)
    .all(...values))
    addRow(books, row);
  return books;
}

/** The same for each value of one more piece of metadata: of a drop's payments, by order. */
export function readBooksBy(
  { db }: Account,
  metadata: Readonly<Record<string, string>>,
  name: string,
): Record<string, Books> {
  const { where, values } = filterOf(metadata);
  const rows = db
    .prepare(
      `SELECT (SELECT value FROM json_each(metadata) WHERE key = ?) AS name, ${SUMS}
       FROM ledger ${where} GROUP BY name, status, currency`,
    )
    .all(name, ...values);
  const by = new Map<string, Books>();
  for (const row of rows) {
    const value = row['name'];
    if (typeof value !== 'string') continue;
    const books = by.get(value) ?? emptyBooks();
    by.set(value, books);
    addRow(books, row);
  }
  return Object.fromEntries(by);
}

const SUMS = `status, currency, count(*) AS number, sum(captured) AS captured, sum(refunded) AS refunded,
              sum(capturable) AS authorized`;

function emptyBooks(): Books {
  return { paymentIntents: 0, byStatus: {}, totals: {} };
}

function filterOf(metadata: Readonly<Record<string, string>>): { where: string; values: string[] } {
  const has = 'EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?)';
  const conditions = Object.keys(metadata).map(() => has);
  return {
    where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`,
    values: Object.entries(metadata).flat(),
  };
}

function addRow(books: Books, row: Record<string, unknown>): void {
  const status = String(row['status']);
  const currency = String(row['currency']);
  const number = Number(row['number']);
  const total = books.totals[currency] ?? { captured: 0, refunded: 0, authorized: 0, paid: 0 };
  books.paymentIntents += number;
  books.byStatus[status] = (books.byStatus[status] ?? 0) + number;
  total.captured += Number(row['captured']);
  total.refunded += Number(row['refunded']);
  total.authorized += Number(row['authorized']);
  total.paid += status === 'succeeded' ? number : 0;
  books.totals[currency] = total;
}
