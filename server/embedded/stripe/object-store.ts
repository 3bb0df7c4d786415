/**
 * Every object of the account, one row each, with the few columns that lists filter by. Rows are numbered in order of
 * creation, so a list is a walk down one index from a cursor, whatever the account's size.
 */

import { invalidRequest, resourceMissing } from './api-error.ts';
import type { Database, SqlValue } from './database.ts';
import type { Kind, ObjectsByKind } from './objects/types.ts';
import type { Params } from './params.ts';

export interface Page<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  url: string;
}

type FilterColumn = 'payment_intent' | 'charge' | 'customer' | 'type';
export type Filters = Partial<Record<FilterColumn, string>> & { types?: readonly string[] };

/** Stripe's own bounds for `limit`. */
const LIMIT_MAX = 100;
const LIMIT_DEFAULT = 10;

interface PageRequest {
  limit: number;
  startingAfter: string | undefined;
  endingBefore: string | undefined;
  created: Array<{ operator: '=' | '>' | '>=' | '<' | '<='; sec: number }>;
}

export function readPageRequest(params: Params, options: { created?: boolean } = {}): PageRequest {
  const limit = params.integer('limit') ?? LIMIT_DEFAULT;
  if (limit < 1 || limit > LIMIT_MAX) {
    throw invalidRequest({
      message: `Invalid integer: limit must be between 1 and ${LIMIT_MAX}`,
      code: 'parameter_invalid_integer',
      param: 'limit',
    });
  }
  return {
    limit,
    startingAfter: params.string('starting_after'),
    endingBefore: params.string('ending_before'),
    created: options.created === false ? [] : readCreated(params),
  };
}

function readCreated(params: Params): PageRequest['created'] {
  if (!params.has('created')) return [];
  try {
    const exact = params.integer('created');
    return exact === undefined ? [] : [{ operator: '=', sec: exact }];
  } catch {
    const range = params.object('created');
    const names = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;
    return (['gt', 'gte', 'lt', 'lte'] as const).flatMap(name => {
      const sec = range?.integer(name);
      return sec === undefined ? [] : [{ operator: names[name], sec }];
    });
  }
}

/** What a list may be filtered by, taken from the object itself. */
function columnsOf(object: ObjectsByKind[Kind]): Record<FilterColumn, string | null> {
  return {
    payment_intent: 'payment_intent' in object ? object.payment_intent : null,
    charge: 'charge' in object ? object.charge : null,
    customer: 'customer' in object ? object.customer : null,
    type: object.object === 'event' ? object.type : null,
  };
}

export class ObjectStore {
  readonly #db: Database;
  readonly #insert;
  readonly #update;
  readonly #byId;
  readonly #remove;
  readonly #lists = new Map<string, ReturnType<Database['prepare']>>();

  constructor(db: Database) {
    this.#db = db;
    this.#insert = db.prepare(
      'INSERT INTO objects (id, kind, created, payment_intent, charge, customer, type, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#update = db.prepare('UPDATE objects SET body = ?, customer = ? WHERE id = ?');
    this.#byId = db.prepare('SELECT created, seq, body FROM objects WHERE id = ? AND kind = ?');
    this.#remove = db.prepare('DELETE FROM objects WHERE id = ?');
  }

  insert(object: ObjectsByKind[Kind]): void {
    const { payment_intent, charge, customer, type } = columnsOf(object);
    const body = JSON.stringify(object);
    this.#insert.run(object.id, object.object, object.created, payment_intent, charge, customer, type, body);
  }

  save(object: ObjectsByKind[Kind]): void {
    this.#update.run(JSON.stringify(object), columnsOf(object).customer, object.id);
  }

  remove(id: string): void {
    this.#remove.run(id);
  }

  find<K extends Kind>(kind: K, id: string): ObjectsByKind[K] | undefined {
    const row = this.#byId.get(id, kind);
    // Rows are written only by this class, under their kind.
    return row === undefined ? undefined : JSON.parse(String(row['body']));
  }

  /** The object named by the path, or by `param`; otherwise Stripe's `resource_missing`. */
  get<K extends Kind>(kind: K, id: string, param?: string): ObjectsByKind[K] {
    const object = this.find(kind, id);
    if (object === undefined) throw resourceMissing(NOUNS[kind], id, param);
    return object;
  }

  list<K extends Kind>(kind: K, request: PageRequest, filters: Filters, url: string): Page<ObjectsByKind[K]> {
    const where = ['kind = ?'];
    const values: SqlValue[] = [kind];
    for (const { operator, sec } of request.created) {
      where.push(`created ${operator} ?`);
      values.push(sec);
    }
    for (const column of ['payment_intent', 'charge', 'customer', 'type'] as const) {
      const value = filters[column];
      if (value === undefined) continue;
      where.push(column === 'type' && value.includes('*') ? 'type GLOB ?' : `${column} = ?`);
      values.push(value);
    }
    if (filters.types !== undefined) {
      where.push(`type IN (${filters.types.map(() => '?').join(', ')})`);
      values.push(...filters.types);
    }
    if (request.startingAfter !== undefined) {
      where.push('(created, seq) < (?, ?)');
      values.push(...this.#placeOf(kind, request.startingAfter, 'starting_after'));
    }
    // `ending_before` walks up from the cursor; the page is turned round so that the newest still comes first.
    const upwards = request.endingBefore !== undefined && request.startingAfter === undefined;
    if (request.endingBefore !== undefined) {
      where.push('(created, seq) > (?, ?)');
      values.push(...this.#placeOf(kind, request.endingBefore, 'ending_before'));
    }
    const order = upwards ? 'ASC' : 'DESC';
    const sql = `SELECT body FROM objects WHERE ${where.join(' AND ')} ORDER BY created ${order}, seq ${order} LIMIT ?`;
    const rows = this.#prepared(sql).all(...values, request.limit + 1);
    const data: Array<ObjectsByKind[K]> = rows
      .slice(0, request.limit)
      .map(row => JSON.parse(String(row['body'])));
    if (upwards) data.reverse();
    return { object: 'list', data, has_more: rows.length > request.limit, url };
  }

  #placeOf(kind: Kind, id: string, param: string): [number, number] {
    const row = this.#byId.get(id, kind);
    if (row === undefined) throw resourceMissing(NOUNS[kind], id, param);
    return [Number(row['created']), Number(row['seq'])];
  }

  /** The number of distinct filter combinations is small and fixed, so the statements are kept. */
  #prepared(sql: string): ReturnType<Database['prepare']> {
    const known = this.#lists.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#lists.set(sql, statement);
    return statement;
  }
}

/** How Stripe's messages call each kind. */
export const NOUNS: Record<Kind, string> = {
  payment_intent: 'payment_intent',
  charge: 'charge',
  refund: 'refund',
  customer: 'customer',
  payment_method: 'PaymentMethod',
  dispute: 'dispute',
  event: 'event',
  webhook_endpoint: 'webhook endpoint',
};
