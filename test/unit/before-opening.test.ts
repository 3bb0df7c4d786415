// What may change of a drop until it opens.
import { describe, expect, it } from 'vitest';
import { changesTerms, refusalOf, type TermsChange } from '../../server/drops/before-opening.rules.ts';
import type { DropState } from '../../server/drops/drop.ts';
import { limits } from '../../server/limits.ts';

const nowMs = 1_000_000;
const seen = { state: 'lobby' as DropState, frozen: false, opensAtMs: nowMs + 600_000, nowMs };
const drop = { lobbyOpensAtMs: nowMs - 1_000, closesAtMs: nowMs + 900_000 };
const refused = (
  change: TermsChange & { closesAtMs?: number },
  now: Partial<typeof seen> = {},
  plan: Partial<typeof drop> = {},
) => refusalOf({ drop: { ...drop, ...plan }, seen: { ...seen, ...now }, change });

describe('the opening of a drop', () => {
  it('moves later and earlier while it is not close', () => {
    expect(refused({ opensAtMs: nowMs + 800_000 })).toBeNull();
    expect(refused({ opensAtMs: nowMs + limits.termsLeadMs })).toBeNull();
    expect(refused({ opensAtMs: nowMs + limits.termsLeadMs - 1 })).toBe('too-soon');
    expect(refused({ opensAtMs: nowMs + 900_000 })).toBe('closes-before');
    expect(refused({ opensAtMs: nowMs + 900_000, closesAtMs: nowMs + 900_001 })).toBeNull();
  });

  it('stays once the doors open, are about to, or are shut, and with it all terms', () => {
    const change = { holdTtlMs: 60_000 };
    expect(refused(change)).toBeNull();
    for (const state of ['open', 'paused', 'sold-out', 'closed'] as const)
      expect([state, refused(change, { state })]).toEqual([state, 'opening']);
    expect(refused(change, { frozen: true })).toBe('opening');
    expect(refused(change, { opensAtMs: nowMs + limits.termsLeadMs - 1 })).toBe('opening');
    expect(refused(change, { opensAtMs: nowMs + limits.termsLeadMs })).toBeNull();
  });

  it('leaves the lobby before it, and an open lobby open', () => {
    const scheduled = { state: 'scheduled' as const };
    const plan = { lobbyOpensAtMs: nowMs + 60_000 };
    expect(refused({ opensAtMs: nowMs + 30_000 }, scheduled, plan)).toBe('lobby-after');
    expect(
      refused({ opensAtMs: nowMs + 30_000, lobbyOpensAtMs: nowMs + 20_000 }, scheduled, plan),
    ).toBeNull();
    expect(refused({ lobbyOpensAtMs: nowMs + 20_000 })).toBe('lobby-is-open');
  });

  it('is asked about only where a change touches it', () => {
    expect(changesTerms({})).toBe(false);
    expect(changesTerms({ delayedMethods: false })).toBe(true);
  });
});
