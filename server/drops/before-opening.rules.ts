// What may change of a drop only until it opens: its times, and the terms that buyers join under. Pure.
//
// What always holds: once the lobby is about to freeze, nothing of this changes any more. Who looked at the countdown
// then is let in when it said so, and a ticket's terms are those that stood there as its holder was called.
import { limits } from '../limits.ts';
import type { ScheduleEdit } from './change-schedule.rules.ts';
import type { Drop, DropState } from './drop.ts';

export interface TermsChange {
  readonly opensAtMs?: number | undefined;
  readonly lobbyOpensAtMs?: number | undefined;
  readonly callWindowMs?: number | undefined;
  readonly passTtlMs?: number | undefined;
  readonly holdTtlMs?: number | undefined;
  readonly paymentWindowMs?: number | undefined;
  readonly botGate?: Drop['botGate'] | undefined;
  readonly delayedMethods?: boolean | undefined;
  readonly items?: readonly ScheduleEdit[] | undefined;
}

const names = [
  'opensAtMs',
  'lobbyOpensAtMs',
  'callWindowMs',
  'passTtlMs',
  'holdTtlMs',
  'paymentWindowMs',
  'botGate',
  'delayedMethods',
] as const satisfies readonly (keyof TermsChange)[];

export function changesTerms(change: TermsChange): boolean {
  return names.some(name => change[name] !== undefined) || changesSchedules(change);
}

/** Holding a price is no such change: it may be held at any time. */
export function changesSchedules({ items = [] }: Pick<TermsChange, 'items'>): boolean {
  return items.some(({ falling }) => falling !== undefined && falling !== null);
}

export type TermsRefusal = 'opening' | 'too-soon' | 'lobby-is-open' | 'lobby-after' | 'closes-before';

/** Null where the change may be made to a drop that looks like this now. */
export function refusalOf(asked: {
  drop: Pick<Drop, 'lobbyOpensAtMs' | 'closesAtMs'>;
  seen: { state: DropState; frozen: boolean; opensAtMs: number; nowMs: number };
  change: TermsChange & { closesAtMs?: number | undefined };
}): TermsRefusal | null {
  const { drop, seen, change } = asked;
  const isBefore = seen.state === 'scheduled' || seen.state === 'lobby';
  const earliestMs = seen.nowMs + limits.termsLeadMs;
  if (!isBefore || seen.frozen || seen.opensAtMs < earliestMs) return 'opening';
  const opensAtMs = change.opensAtMs ?? seen.opensAtMs;
  const closesAtMs = change.closesAtMs ?? drop.closesAtMs;
  if (opensAtMs < earliestMs) return 'too-soon';
  if (change.lobbyOpensAtMs !== undefined && seen.state === 'lobby') return 'lobby-is-open';
  if ((change.lobbyOpensAtMs ?? drop.lobbyOpensAtMs) > opensAtMs) return 'lobby-after';
  if (closesAtMs !== null && closesAtMs <= opensAtMs) return 'closes-before';
  return null;
}
