/** The stand-in's own account of the money, summed up from the ledger: what a drill's or an audit's gates compare with. */

import type { Account } from './account.ts';

export interface Books {
  paymentIntents: number;
  byStatus: Record<string, number>;
  /** Per currency, in minor units. `authorized` is held on cards and neither captured nor released. */
  totals: Record<string, { captured: number; refunded: number; authorized: number; paid: number }>;
}

export function readBooks({ db }: Account, metadata: Readonly<Record<string, string>>): Books {
  const names = Object.keys(metadata);
  const where = names
    .map(() => 'EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?)')
    .join(' AND ');
  const rows = db
    .prepare(
      `SELECT status, currency, count(*) AS number, sum(captured) AS captured, sum(refunded) AS refunded,
              sum(capturable) AS authorized
       FROM ledger ${where === '' ? '' : `WHERE ${where}`} GROUP BY status, currency`,
    )
    .all(...Object.entries(metadata).flat());
  const books: Books = { paymentIntents: 0, byStatus: {}, totals: {} };
  for (const row of rows) {
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
  return books;
}
