// How dear a place in line is. The work doubles nothing and bans nobody: it grows with what came from one address
// lately, so that a crowd behind one carrier's address still gets in, and a script pays for each of its tickets.
import { limits } from '../limits.ts';

export type BotGateMode = 'off' | 'on' | 'auto';

/** Whether a join needs a proof of work, given the visits that came from its address lately. */
export function isProofNeeded(mode: BotGateMode, recentCount: number): boolean {
  switch (mode) {
    case 'off':
      return false;
    case 'on':
      return true;
    case 'auto':
      return recentCount >= limits.gateAutoJoinsCount;
  }
}

/** The range in which the number is hidden: on average half of it has to be tried. */
export function hiddenWithin(recentCount: number): number {
  const { first, stepVisits, max } = limits.gateWork;
  return Math.min(max, first * (1 + Math.floor(recentCount / stepVisits)));
}

/** Whoever has one IPv6 address has its whole /64, so that is what is counted; an IPv4 address is one. */
export function countedAddress(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const groupsOf = (text: string | undefined) => (text ? text.split(':') : []);
  const before = groupsOf(head);
  const after = groupsOf(tail);
  const missing = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after];
  return `${groups
    .slice(0, 4)
    .map(group => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
