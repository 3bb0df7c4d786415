// How hard the gate's work is, and whom it counts together.
import { describe, expect, it } from 'vitest';
import { limits } from '../../server/limits.ts';
import { countedAddress, hiddenWithin, isProofNeeded } from '../../server/queue/bot-gate.rules.ts';

describe('the work at the bot gate', () => {
  it('is asked for never, always, or once many came from one address', () => {
    const many = limits.gateAutoJoinsCount;
    expect([0, many].map(count => isProofNeeded('off', count))).toEqual([false, false]);
    expect([0, many].map(count => isProofNeeded('on', count))).toEqual([true, true]);
    expect([0, many - 1, many].map(count => isProofNeeded('auto', count))).toEqual([false, false, true]);
  });

  it('grows with the joins of an address, never falls, and is never more than a phone can do', () => {
    const works = Array.from({ length: 500 }, (_, index) => hiddenWithin(index * 20));
    expect(works[0]).toBe(limits.gateWork.first);
    expect(works).toEqual(works.toSorted((a, b) => a - b));
    expect(works.at(-1)).toBe(limits.gateWork.max);
    expect(hiddenWithin(limits.gateWork.stepVisits)).toBe(2 * limits.gateWork.first);
  });
});

describe('an address', () => {
  it('is one for IPv4, also as IPv6 writes it', () => {
    expect(countedAddress('203.0.113.9')).toBe('203.0.113.9');
    expect(countedAddress('::ffff:203.0.113.9')).toBe('203.0.113.9');
  });

  it('is a /64 for IPv6, however it is written', () => {
    const same = ['2001:db8:1:2::1', '2001:0db8:0001:0002:aaaa:bbbb:cccc:dddd', '2001:DB8:1:2::%eth0'];
    expect(new Set(same.map(countedAddress))).toEqual(new Set(['2001:db8:1:2::/64']));
    expect(countedAddress('2001:db8:1:3::1')).not.toBe(countedAddress('2001:db8:1:2::1'));
    expect(countedAddress('::1')).toBe('0:0:0:0::/64');
  });
});
