/** Everything one account of the stand-in consists of, wired together once; the routes work on it. */

import { ApiFaults } from './api-faults.ts';
import { Chance } from './chance.ts';
import { Clock, type ClockState } from './clock.ts';
import { Database } from './database.ts';
import { EventLog } from './event-log.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { ObjectStore } from './object-store.ts';
import { PaymentMethods } from './payment-methods.ts';
import { Payments } from './payments.ts';
import { WebhookFaults } from './webhook-faults.ts';

export interface Account {
  db: Database;
  clock: Clock;
  store: ObjectStore;
  events: EventLog;
  methods: PaymentMethods;
  payments: Payments;
  keys: IdempotencyKeys;
  chance: Chance;
  apiFaults: ApiFaults;
  webhookFaults: WebhookFaults;
  saveClock: () => void;
}

export function openAccount(folder: string): Account {
  const db = new Database(folder);
  const readMeta = db.prepare('SELECT value FROM meta WHERE key = ?');
  const writeMeta = db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)');
  const stored = readMeta.get('clock')?.['value'];
  const state: ClockState =
    typeof stored === 'string' ? JSON.parse(stored) : { offsetMs: 0, frozenAtMs: null };
  const clock = new Clock(state);
  const chance = new Chance(1);
  const webhookFaults = new WebhookFaults(chance);
  const store = new ObjectStore(db);
  const events = new EventLog({ db, store, clock, faults: webhookFaults });
  const methods = new PaymentMethods(store, () => clock.nowSec());
  return {
    db,
    clock,
    store,
    events,
    methods,
    payments: new Payments({ db, clock, store, events, methods }),
    keys: new IdempotencyKeys(db, clock),
    chance,
    apiFaults: new ApiFaults(chance),
    webhookFaults,
    saveClock: () => {
      writeMeta.run('clock', JSON.stringify(clock.state));
    },
  };
}
