// Drops: made, changed, looked up and steered. The document in MongoDB says what the shop decided; Redis runs it.
// A change is written to the document first and then loaded; a process that dies in between leaves `loadedRev` behind
// `rev`, and the conductor of any process finishes it.
import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import { PublicError } from '../errors.ts';
import { newDropId, type DropId, type Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { ExchangeRate } from '../pricing/conversion.rules.ts';
import type { Clock } from '../platform/clock.ts';
import { dropChannel } from '../platform/keys.ts';
import { EpochError } from '../platform/lua-scripts.ts';
import { changesSchedules, changesTerms, refusalOf, type TermsRefusal } from './before-opening.rules.ts';
import { editProblem, heldFrom, movedBy } from './change-schedule.rules.ts';
import type { CodeHashes } from './codes.ts';
import type { Drop, DropItem } from './drop.ts';
import type { createDropInput, updateDropInput } from './drop-schemas.ts';
import { assertStepsCount, priceItems, stepsOf, type CatalogVariant } from './price-items.ts';
import type { DropChange, DropsStore } from './drops.store.ts';
import type { LiveStore, SteerAction } from './live.store.ts';

/** What drops need to know of the catalog: what each SKU that it has is called, costs and is taxed as. */
export type VariantsBySku = (skus: readonly Sku[]) => Promise<ReadonlyMap<Sku, CatalogVariant>>;

/** Makes the unit documents with serials `from..to`; again for the same serials changes nothing. */
export type CreateUnits = (
  dropId: DropId,
  ranges: readonly { sku: Sku; from: number; to: number }[],
) => Promise<void>;

/** What outlives Redis of a running drop; the rebuild reads it. */
export interface DropRecord {
  /** Reserves the first arrivals of a new drop; answers how many of each lane. */
  firstMark(dropId: DropId): Promise<number>;
  /** What an operator does to the drop in Redis. */
  note(
    dropId: DropId,
    steered: { opensAtMs?: number | null; paused?: boolean; closed?: boolean },
  ): Promise<void>;
}

export interface Drops {
  create(input: z.output<typeof createDropInput>): Promise<Drop>;
  update(input: z.output<typeof updateDropInput>): Promise<Drop>;
  /** The drop, from memory where it is fresh; null where there is none. */
  find(dropId: DropId): Promise<Drop | null>;
  /** As `find`, but absent is an error for the caller. */
  get(dropId: DropId): Promise<Drop>;
  list(options: { limit: number; before?: { createdAtMs: number; dropId: DropId } }): Promise<Drop[]>;
  listRunning(): Promise<Drop[]>;
  steer(dropId: DropId, steer: SteerAction): Promise<{ state: string }>;
  /** Brings Redis and the ledger up to the document's `rev`. */
  load(drop: Drop): Promise<void>;
  markEnded(dropId: DropId): Promise<void>;
  /** Another process changed this drop: forget what is remembered. */
  forget(dropId: DropId): void;
}

export function createDrops(options: {
  store: DropsStore;
  live: LiveStore;
  redis: Redis;
  clock: Clock;
  codes: CodeHashes;
  variantsBySku: VariantsBySku;
  /** The shop's rates into a currency, for prices that the catalog does not say. Without it there are none. */
  ratesInto?: (currency: string) => Promise<ReadonlyMap<string, ExchangeRate>>;
  createUnits: CreateUnits;
  record: DropRecord;
  /** Payments without an order that keep a drop from going on; they are named to whoever resumes it. */
  blockedBy?: (dropId: DropId) => Promise<readonly string[]>;
}): Drops {
  const { store, live, redis, clock, codes, variantsBySku, createUnits, record } = options;
  const remembered = new LRUCache<string, Drop, DropId>({
    max: 1_000,
    // Changes are announced; the age only bounds what a lost announcement can do.
    ttl: 5_000,
    // Forgotten while it is looked up, it answers those who asked before, and is not kept.
    ignoreFetchAbort: true,
    fetchMethod: async (_key, _stale, { context }) => (await store.find(context)) ?? undefined,
  });
  const changed = async (dropId: DropId) => {
    remembered.delete(dropId);
    await redis.publish(dropChannel, dropId);
  };
  const load = async (drop: Drop, before?: Drop) => {
    const madeBefore = new Map(before?.items.map(item => [item.sku, item.total]));
    const ranges = drop.items
      .map(({ sku, total }) => ({ sku, from: (madeBefore.get(sku) ?? 0) + 1, to: total }))
      .filter(range => range.to >= range.from);
    if (ranges.length > 0) await createUnits(drop.dropId, ranges);
    await live.load(drop, drop.loadedRev === 0 ? await record.firstMark(drop.dropId) : undefined);
    await store.markLoaded(drop.dropId, drop.rev);
    await changed(drop.dropId);
  };
  const find = async (dropId: DropId) => (await remembered.fetch(dropId, { context: dropId })) ?? null;
  const get = async (dropId: DropId) => {
    const drop = await find(dropId);
    if (!drop) throw new PublicError('not-found', 'There is no such drop');
    return drop;
  };

  const assertBeforeOpening = async (drop: Drop, input: z.output<typeof updateDropInput>) => {
    const seen = await live.look(drop.dropId);
    if (!seen) throw new PublicError('unavailable', 'The drop is not loaded yet', { retryAfterMs: 1_000 });
    const refusal = refusalOf({ drop, seen, change: input });
    if (refusal === 'opening' && changesSchedules(input)) throw new PublicError('conflict', sayHold);
    if (refusal === 'opening') throw new PublicError('conflict', sayRefusal[refusal]);
    if (refusal) throw new PublicError('invalid-input', sayRefusal[refusal]);
  };
  /** What is open closes at once with a time that has passed; one before the opening would be a drop that never opens. */
  const assertClosesAfter = async (drop: Drop, closesAtMs: number) => {
    const { opensAtMs } = (await live.look(drop.dropId)) ?? drop;
    if (closesAtMs <= opensAtMs) throw new PublicError('invalid-input', sayRefusal['closes-before']);
  };
  /** The document must not promise an opening that Redis, which was slow to hear of it, did not take. */
  const assertMoved = async (drop: Drop) => {
    const seen = await live.look(drop.dropId);
    if (!seen || seen.opensAtMs === drop.opensAtMs) return;
    const { opensAtMs, lobbyOpensAtMs } = { ...drop, opensAtMs: seen.opensAtMs };
    const byMs = opensAtMs - drop.opensAtMs;
    await store.change(drop.dropId, drop.rev, {
      opensAtMs,
      ...(isFalling(drop)
        ? { items: drop.items.map(item => ({ ...item, steps: movedBy(item.steps, byMs) })) }
        : {}),
      lobbyOpensAtMs: Math.min(lobbyOpensAtMs, opensAtMs),
    });
    await changed(drop.dropId);
    throw new PublicError('conflict', sayRefusal.opening);
  };

  return {
    async create(input) {
      const nowMs = clock.now();
      const items = await priceItems(input, { variantsBySku, ratesInto: options.ratesInto });
      const seed = randomBytes(32);
      const dropId = newDropId();
      const drop: Drop = {
        dropId,
        title: input.title,
        mode: input.mode,
        lobbyOpensAtMs: Math.min(input.lobbyOpensAtMs ?? nowMs, input.opensAtMs),
        opensAtMs: input.opensAtMs,
        closesAtMs: input.closesAtMs ?? null,
        items,
        perBuyerMax: input.perBuyerMax,
        ratePerSec: input.ratePerSec,
        activeMax: input.activeMax,
        callWindowMs: input.callWindowMs ?? limits.callWindowMs.default,
        passTtlMs: input.passTtlMs ?? limits.passTtlMs.default,
        holdTtlMs: input.holdTtlMs ?? limits.holdTtlMs.default,
        paymentWindowMs: input.paymentWindowMs ?? limits.paymentWindowMs.default,
        paymentsPerSec: input.paymentsPerSec ?? null,
        perCardMax: input.perCardMax ?? null,
        delayedMethods: input.delayedMethods ?? false,
        botGate: input.botGate ?? 'off',
        codes: (input.codes ?? []).map(({ code, maxUses }) => ({ hash: codes.hash(dropId, code), maxUses })),
        seed: seed.toString('base64url'),
        seedHash: createHash('sha256').update(seed).digest('hex'),
        beacon: input.beacon ?? null,
        createdAtMs: nowMs,
        rev: 1,
        loadedRev: 0,
        ended: false,
      };
      await store.insert(drop);
      await load(drop);
      return drop;
    },

    async update(input) {
      const drop = await get(input.dropId);
      const change = changeOf(drop, input, clock.now());
      if (changesTerms(input)) await assertBeforeOpening(drop, input);
      else if (input.closesAtMs !== undefined) await assertClosesAfter(drop, input.closesAtMs);
      const next = await store.change(drop.dropId, drop.rev, change);
      if (!next) {
        remembered.delete(drop.dropId);
        throw new PublicError(
          'conflict',
          'The drop was changed by somebody else at the same time: look and try again',
        );
      }
      // A drop whose last edit was loaded has its units: only the new ones are made.
      try {
        await (drop.loadedRev === drop.rev ? load(next, drop) : load(next));
      } catch (error) {
        // The edit stands in the document: the rebuild that is due takes it along, and the conductor loads it after that.
        if (!(error instanceof EpochError)) throw error;
      }
      if (change.opensAtMs !== undefined) await assertMoved(next);
      return next;
    },

    async steer(dropId, steer) {
      const drop = await get(dropId);
      const blockedBy = steer.action === 'resume' ? await options.blockedBy?.(dropId) : undefined;
      if (blockedBy && blockedBy.length > 0) {
        throw new PublicError(
          'conflict',
          `These payments have no order: restore the orders, or give the money back at Stripe, then resume: ${blockedBy.join(', ')}`,
        );
      }
      const changedMsAgo = clock.now() - (drop.pricesChangedAtMs ?? Number.NEGATIVE_INFINITY);
      if (steer.action === 'open' && changedMsAgo < limits.termsLeadMs) {
        throw new PublicError(
          'conflict',
          'The prices of this drop have just changed, and quotes of before are still about: open it in some seconds',
          { retryAfterMs: limits.termsLeadMs },
        );
      }
      // A drop that was closed stays so, whatever Redis forgets meanwhile.
      if (steer.action === 'close') await record.note(dropId, { closed: true });
      const outcome = await live.steer(drop.dropId, steer);
      if (outcome.kind === 'missing')
        throw new PublicError('unavailable', 'The drop is not loaded yet', { retryAfterMs: 1_000 });
      if (outcome.kind === 'refused') {
        throw new PublicError(
          'conflict',
          `A drop that is ${outcome.state} cannot be asked to ${steer.action}`,
        );
      }
      if (steer.action === 'open') {
        const openedAtMs = clock.now();
        await record.note(dropId, { opensAtMs: openedAtMs });
        await store.markOpened(dropId, openedAtMs);
      }
      if (steer.action === 'pause' || steer.action === 'resume')
        await record.note(dropId, { paused: steer.action === 'pause' });
      await changed(dropId);
      return { state: outcome.state };
    },

    find,
    get,
    list: listOptions => store.list(listOptions),
    listRunning: () => store.listRunning(),
    load: drop => load(drop),
    markEnded: dropId => store.markEnded(dropId, clock.now()),
    forget: dropId => remembered.delete(dropId),
  };
}

const sayRefusal: Record<TermsRefusal, string> = {
  opening: 'The drop opens in a moment, or has opened: its opening and its terms stay as they are',
  'too-soon': 'opensAtMs is too soon for a plan: admin.drop.open opens it now',
  'lobby-is-open': 'lobbyOpensAtMs: the lobby is open already',
  'lobby-after': 'lobbyOpensAtMs: the lobby must open before the drop does',
  'closes-before': 'closesAtMs: the drop must close after it opens',
};

const sayHold =
  'The drop opens in a moment, or has opened: its prices fall as they were announced. falling: null holds them where they are';

function isFalling(drop: Pick<Drop, 'items'>): boolean {
  return drop.items.some(item => item.steps?.length);
}

function changeOf(drop: Drop, input: z.output<typeof updateDropInput>, nowMs: number): DropChange {
  const { dropId: _dropId, items, ...fields } = input;
  const change: DropChange = {};
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined) Object.assign(change, { [name]: value });
  const opensAtMs = input.opensAtMs ?? drop.opensAtMs;
  const isMoved = opensAtMs !== drop.opensAtMs && isFalling(drop);
  if (!items && !isMoved) return change;
  const wanted = new Map(items?.map(item => [item.sku, item]));
  for (const sku of wanted.keys()) {
    if (!drop.items.some(item => item.sku === sku))
      throw new PublicError('invalid-input', `SKU ${sku} is not in this drop`);
  }
  const changed = drop.items.map(item => {
    const edit = wanted.get(item.sku);
    const total = item.total + (edit?.addUnits ?? 0);
    const withdrawn = item.withdrawn + (edit?.withdrawUnits ?? 0);
    if (withdrawn > total)
      throw new PublicError('invalid-input', `SKU ${item.sku} has only ${total} units to withdraw from`);
    const schedule = scheduleOf(item, edit, { opensAtMs, movedMs: opensAtMs - drop.opensAtMs, nowMs });
    return { ...item, ...schedule, total, withdrawn };
  });
  assertStepsCount(changed);
  const areOthers = items?.some(({ falling }) => falling !== undefined) ?? false;
  return { ...change, items: changed, ...(areOthers ? { pricesChangedAtMs: nowMs } : {}) };
}

type ItemEdit = NonNullable<z.output<typeof updateDropInput>['items']>[number];

/** What the item starts at, and how it falls from there. */
function scheduleOf(
  item: DropItem,
  edit: ItemEdit | undefined,
  at: { opensAtMs: number; movedMs: number; nowMs: number },
): Pick<DropItem, 'price' | 'steps'> {
  const { price, steps } = item;
  const problem = edit && editProblem(item, edit);
  if (problem) throw new PublicError('invalid-input', `SKU ${item.sku}: ${problem}`);
  const moved = movedBy(steps, at.movedMs);
  if (edit?.falling === null) return { price, steps: moved && heldFrom(moved, at.nowMs) };
  if (!edit?.falling) return { price, steps: moved };
  const from = edit.price ?? price;
  if (from.currency !== price.currency)
    throw new PublicError('invalid-input', `SKU ${item.sku}: this drop sells in ${price.currency}`);
  return { price: from, steps: stepsOf(item, edit.falling, { price: from, opensAtMs: at.opensAtMs }) };
}
