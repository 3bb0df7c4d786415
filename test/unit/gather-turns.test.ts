// When what is gathered is sent.
import { describe, expect, it } from 'vitest';
import { limits } from '../../server/limits.ts';
import { gatherTurns } from '../../server/platform/gather-turns.ts';

const turn = () => new Promise<void>(resolve => void setImmediate(resolve));

function gathering() {
  const box = { count: 0, sent: [] as number[], start: () => {} };
  box.start = gatherTurns({
    count: () => box.count,
    send: () => {
      box.sent.push(box.count);
      box.count = 0;
    },
  });
  return {
    sent: box.sent,
    come() {
      box.count += 1;
      if (box.count === 1) box.start();
    },
    takeAway() {
      box.count = 0;
    },
  };
}

describe('what is gathered', () => {
  it('is sent at the next turn where nobody else comes', async () => {
    const crowd = gathering();
    crowd.come();
    await turn();
    expect(crowd.sent).toEqual([]);
    await turn();
    expect(crowd.sent).toEqual([1]);
    await turn();
    expect(crowd.sent).toEqual([1]);
  });

  it('waits for those who keep coming, but for a few turns only', async () => {
    const crowd = gathering();
    for (let turns = 0; turns < 2 * limits.gatheredTurnsCount; turns += 1) {
      crowd.come();
      await turn();
    }
    expect(crowd.sent).toEqual([limits.gatheredTurnsCount, limits.gatheredTurnsCount]);
  });

  it('is not sent again where it was sent meanwhile', async () => {
    const crowd = gathering();
    crowd.come();
    crowd.takeAway();
    for (let turns = 0; turns < 3; turns += 1) await turn();
    expect(crowd.sent).toEqual([]);
  });
});
