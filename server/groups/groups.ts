// The face of groups: who is in which, and what that is worth.
//
// Who is in a group is never said by a request. It is said by the shop, in one of two ways: its own JWT names groups in the
// claim `groups` (verified with the token, and as long-lived as that), or an admin has put a buyer into them, for good or
// until some time. Names that the shop has not set up count for nothing.
import { LRUCache } from 'lru-cache';
import { PublicError } from '../errors.ts';
import type { BuyerId, Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { GroupTerms } from '../pricing/unit-price.rules.ts';
import { groupTermsOf } from './group.rules.ts';
import type { Group, GroupInput, Membership } from './group.ts';
import type { GroupsStore } from './groups.store.ts';

/** A buyer, and the groups that their verified token names. */
export interface GroupBuyer {
  readonly buyerId: BuyerId;
  readonly groups: readonly string[];
}

export interface Groups {
  /** By SKU, what the buyer's groups have for it in a currency; those without anything are left out. */
  termsFor(
    buyer: GroupBuyer,
    cart: { currency: string; skus: readonly Sku[] },
  ): Promise<ReadonlyMap<Sku, readonly GroupTerms[]>>;
  list(): Promise<Group[]>;
  /** Made, or replaced as a whole. `full`: a shop has at most so many. */
  put(input: GroupInput): Promise<'put' | 'full'>;
  remove(group: string): Promise<'removed' | 'absent'>;
  /** What the shop has said of a buyer; null where it has said nothing. */
  member(buyerId: BuyerId): Promise<Membership | null>;
  /** No groups: the buyer is taken out of all. Throws PublicError `invalid-input` for a group that is not set up. */
  putMember(member: {
    buyerId: BuyerId;
    groups: readonly string[];
    untilMs?: number | undefined;
  }): Promise<void>;
  /** Forgets what was remembered of a buyer who had their data erased. */
  forgetMember(buyerId: BuyerId): Promise<void>;
}

export function createGroups(deps: { store: GroupsStore; clock: { now(): number } }): Groups {
  const { store, clock } = deps;
  const all = new LRUCache<'all', Group[]>({
    max: 1,
    // Another process may change them: a quote is at most this late.
    ttl: limits.groupCacheTtlMs,
    ignoreFetchAbort: true,
    fetchMethod: () => store.all(),
  });
  const members = new LRUCache<BuyerId, { member: Membership | null }>({
    max: limits.groupMembersCacheCount,
    ttl: limits.groupCacheTtlMs,
    ignoreFetchAbort: true,
    fetchMethod: async buyerId => ({ member: await store.member(buyerId) }),
  });

  async function groupsOf({ buyerId, groups: claimed }: GroupBuyer): Promise<Group[]> {
    const known = (await all.fetch('all')) ?? [];
    // A shop without groups asks MongoDB nothing about its buyers.
    if (known.length === 0) return [];
    const member = (await members.fetch(buyerId))?.member ?? null;
    const isOn = member !== null && (member.untilMs === null || clock.now() < member.untilMs);
    const names = new Set([...claimed, ...(isOn ? member.groups : [])]);
    return known.filter(({ group }) => names.has(group));
  }

  return {
    async termsFor(buyer, { currency, skus }) {
      const groups = await groupsOf(buyer);
      const terms = new Map<Sku, GroupTerms[]>();
      for (const sku of skus) {
        const found = groupTermsOf(groups, { sku, currency });
        if (found.length > 0) terms.set(sku, found);
      }
      return terms;
    },
    list: () => store.all(),
    async put({ group, title, percent, prices }) {
      const before = await store.all();
      const isNew = !before.some(each => each.group === group);
      if (isNew && before.length >= limits.groupsCount) return 'full';
      const nowMs = clock.now();
      await store.put({
        group,
        ...(title === undefined ? {} : { title }),
        ...(percent === undefined ? {} : { percent }),
        prices,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
      });
      all.clear();
      return 'put';
    },
    async remove(group) {
      const removed = await store.remove(group);
      all.clear();
      return removed ? 'removed' : 'absent';
    },
    member: buyerId => store.member(buyerId),
    async putMember({ buyerId, groups, untilMs }) {
      const known = new Set((await store.all()).map(({ group }) => group));
      const unknown = groups.find(group => !known.has(group));
      if (unknown !== undefined) throw new PublicError('invalid-input', `There is no group ${unknown}`);
      if (groups.length === 0) await store.removeMember(buyerId);
      else {
        await store.putMember({
          buyerId,
          groups: [...new Set(groups)].toSorted(),
          untilMs: untilMs ?? null,
          setAtMs: clock.now(),
        });
      }
      members.delete(buyerId);
    },
    async forgetMember(buyerId) {
      await store.removeMember(buyerId);
      members.delete(buyerId);
    },
  };
}
