// What the pages decide without a browser: which drop stands in front, what a chart keeps, how time is written.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { stepArea, stepPath } from '../../client/web/chart/line-path.ts';
import type { Drop, DropState, DropWatch } from '../../client/web/engine/types.ts';
import { clockFace, isoDuration, roughRange, shortClock } from '../../client/web/format/duration.ts';
import { formatMoney } from '../../client/web/format/money.ts';
import { byUrgency } from '../../client/web/live/choose-drop.ts';
import { historySpanMs, withPoint, type HistoryPoint } from '../../client/web/live/history.ts';
import { withOpening } from '../../client/web/live/with-opening.ts';
import { piecesOf } from '../../client/web/products/highlight-pieces.ts';
import { shapeOf } from '../../client/web/products/shapes.ts';
import { readQuestion, writeQuestion } from '../../client/web/search/question.ts';

const noFairness = { seedHash: '' };

function drop(dropId: string, state: DropState, opensAtMs: number): Drop {
  return {
    // The brands of ids are the server's; a drop as it comes over the wire is what is needed here.
    ...JSON.parse(JSON.stringify({ dropId })),
    title: dropId,
    state,
    mode: 'fifo',
    lobbyOpensAtMs: 0,
    opensAtMs,
    serverTimeMs: 0,
    perBuyerMax: 1,
    holdTtlMs: 1_000,
    items: [],
    fairness: noFairness,
  };
}

describe('the drop in front', () => {
  it('is one that sells, else the next to open, else the one that ended last', () => {
    const soon = drop('soon', 'lobby', 5);
    const later = drop('later', 'lobby', 9);
    const old = drop('old', 'sold-out', 1);
    const older = drop('older', 'closed', 0);
    const names = (drops: readonly Drop[]) => byUrgency(drops).map(each => each.title);
    expect(names([later, older, soon, old])).toEqual(['soon', 'later', 'old', 'older']);
    expect(names([later, soon, drop('now', 'open', 7)])[0]).toBe('now');
    expect(names([])).toEqual([]);
  });
});

describe('a drop whose opening is moved', () => {
  it('opens when its live news say so, and is the same object where they say nothing else', () => {
    const lobby = drop('lobby', 'lobby', 5);
    const news = (opensAtMs: number) =>
      z.custom<DropWatch>().parse({ state: 'lobby', lanes: [], items: [], serverTimeMs: 0, opensAtMs });
    expect(withOpening(lobby, news(9))).toEqual({ ...lobby, opensAtMs: 9 });
    expect(withOpening(lobby, news(5))).toBe(lobby);
    expect(withOpening(lobby, null)).toBe(lobby);
  });
});

describe('the chart', () => {
  const point = (atMs: number): HistoryPoint => ({ atMs, arrived: 0, called: atMs, left: 1 });

  it('thins out what comes in bursts, keeps the newest, and forgets what is old', () => {
    let history: readonly HistoryPoint[] = [];
    for (let atMs = 0; atMs <= 20 * 60_000; atMs += 250) history = withPoint(history, point(atMs));
    expect(history.length).toBeLessThan(historySpanMs / 500);
    expect(history.at(-1)?.atMs).toBe(20 * 60_000);
    expect(history[0]?.atMs).toBeGreaterThan(20 * 60_000 - historySpanMs);
  });

  it('draws steps from the first point to the right edge', () => {
    const frame = { fromMs: 0, toMs: 100, valueMax: 10, width: 200, height: 50 };
    const points = [
      { atMs: 0, value: 0 },
      { atMs: 50, value: 10 },
    ];
    expect(stepPath(points, frame)).toBe('M0 50H100V0H200');
    expect(stepArea(points, frame)).toBe('M0 50H100V0H200V50H0Z');
    expect(stepPath([], frame)).toBe('');
  });
});

describe('what is written', () => {
  it('shows a second until it is over', () => {
    expect(clockFace(1)).toEqual({ days: 0, hours: '00', minutes: '00', seconds: '01' });
    expect(clockFace(0).seconds).toBe('00');
    expect(clockFace(-5_000).seconds).toBe('00');
    expect(clockFace(90_061_000)).toEqual({ days: 1, hours: '01', minutes: '01', seconds: '01' });
    expect(shortClock(3_661_000)).toBe('1:01:01');
    expect(shortClock(65_000)).toBe('1:05');
    expect(isoDuration(65_000)).toBe('P0DT0H1M5S');
  });

  it('says how long something takes in as few words as it needs', () => {
    expect(roughRange(3 * 60_000, 4 * 60_000)).toBe('3–4 minutes');
    expect(roughRange(50_000, 2 * 60_000)).toBe('50 seconds – 2 minutes');
    expect(roughRange(7 * 60_000, 7 * 60_000 + 1)).toBe('7 minutes');
    expect(roughRange(90 * 60_000, 3 * 3_600_000)).toBe('1.5–3 hours');
  });

  it('places the decimals of each currency', () => {
    expect(formatMoney({ amount: 8_900, currency: 'EUR' })).toContain('89.00');
    expect(formatMoney({ amount: 8_900, currency: 'JPY' })).toContain('8,900');
    expect(formatMoney({ amount: 8_900, currency: 'KWD' })).toContain('8.900');
  });

  it('takes apart what search marked, and puts no HTML into the page', () => {
    expect(piecesOf('a <mark>desk</mark>&#60;b&#62; lamp')).toEqual([
      { text: 'a ', isMarked: false },
      { text: 'desk', isMarked: true },
      { text: '<b> lamp', isMarked: false },
    ]);
  });

  it('keeps a search in the address, and takes nothing from there that was never asked', () => {
    const address = 'q=desk+lamp&brand=A%26B&brand=C&category=Lights&min=500&max=9900&stock=1&sort=newest';
    expect(writeQuestion(readQuestion(address))).toBe(address);
    expect(writeQuestion(readQuestion('min=-1&max=1e3&sort=constructor&show=999999'))).toBe('show=96');
  });

  it('draws what a product’s icon names, else what its title speaks of, else a parcel', () => {
    expect(shapeOf({ icon: 'lamp', text: 'chair' })).toEqual(shapeOf({ text: 'Aurora desk lamp' }));
    expect(shapeOf({ icon: 'constructor', text: 'unheard of' })).toEqual(shapeOf({ text: '' }));
  });
});
