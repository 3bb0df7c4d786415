// The drill on a whole installation: it passes where the engine is sound, in every shape of arrival, from the command
// line as from a program, and while processes of the engine are killed under it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDoorbuster } from '../../client/index.ts';
import { runDrill, type Drill, type DrillOptions } from '../../scripts/drill/run-drill.ts';
import { standInOf } from '../../scripts/drill/faulty-webhooks.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';
import { controlStripe } from '../../server/embedded/stripe/control-client.ts';
import { runProgram } from '../support/run-program.ts';

const isPositive = (count: number) => count > 0;
const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-drill-test-'));
let installation: Installation;

beforeAll(async () => {
  installation = await startInstallation({
    dataDir: path.join(folder, 'data'),
    port: 0,
    env: { LOG_LEVEL: 'warn' },
  });
}, 120_000);
afterAll(async () => {
  await installation?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function drill(change: Partial<DrillOptions>): Promise<Drill> {
  return runDrill({
    url: installation.url,
    adminKey: installation.adminKey,
    buyersCount: 40,
    stockCount: 12,
    shape: 'spike',
    skusCount: 1,
    abandonShare: 0,
    declineShare: 0,
    challengeShare: 0,
    withinMs: 100_000,
    // How soon is the business of a quiet machine; that it is counted, of this test.
    toldWithinMs: 60_000,
    signal: new AbortController().signal,
    out: null,
    ...change,
  });
}

/** What `--json` promises, no more and no less. */
const resultKeys = [
  'buyers',
  'stock',
  'sold',
  'oversold',
  'unsoldWithDemand',
  'unitsDistinct',
  'ordersPaid',
  'capturedMinor',
  'expectedMinor',
  'inversions',
  'paidLate',
  'wallMs',
  'journeysPerSec',
  'phases',
  'errors',
  'soldOutToldMs',
  'places',
  'servers',
  'serversKilled',
  'troubles',
  'falling',
  'webhooks',
  'gates',
  'ok',
];
const soldOut = {
  sold: 12,
  oversold: 0,
  unsoldWithDemand: 0,
  unitsDistinct: 12,
  ordersPaid: 12,
  inversions: 0,
  paidLate: 0,
  ok: true,
};

describe('a drill on a sound engine', () => {
  it('sells a shuffled lobby out, every SKU of it, and finds the books in order', async () => {
    const { result, report, ends } = await drill({ shape: 'lobby', skusCount: 3 });
    expect(result).toMatchObject({ buyers: 40, stock: 12, ...soldOut, errors: {} });
    expect(result.capturedMinor).toBe(result.expectedMinor);
    expect(result.capturedMinor).toBeGreaterThan(0);
    expect(report.items.map(item => item.ordered)).toEqual([4, 4, 4]);
    expect(report.findings).toEqual([]);
    expect(ends).toMatchObject({ paid: 12, 'sold-out': 28 });
  });

  it('charges each buyer of a price that falls the price of the instant of their hold', async () => {
    // Slowly, so that the twelve who buy do not all come before the first fall.
    const pace = { ratePerSec: 4, activeMax: 40 };
    const { result, ends } = await drill({ fallsEveryMs: 1_000, pace });
    expect(result).toMatchObject({
      ...soldOut,
      errors: {},
      falling: { offSchedule: 0, chargedOtherwise: 0 },
    });
    expect(result.falling?.toldMinor).toBe(result.capturedMinor);
    expect(Object.keys(result.falling?.paid ?? {}).length).toBeGreaterThan(1);
    expect(ends).toMatchObject({ paid: 12, 'sold-out': 28 });
  });

  it('sells no more than is wanted, and leaves nothing on the stage', async () => {
    let dropId = '';
    const { result, report, ends } = await drill({
      shape: 'flat',
      buyersCount: 8,
      onDrop: id => {
        dropId = id;
      },
    });
    expect(result).toMatchObject({ stock: 12, sold: 8, unsoldWithDemand: 0, ordersPaid: 8, ok: true });
    expect(report.items[0]?.redis).toMatchObject({ available: 4, held: 0, sold: 8 });
    expect(ends.paid).toBe(8);
    const shop = createDoorbuster({ url: installation.url });
    // What everybody is shown may be a tick older than what was just done.
    await vi.waitFor(async () => {
      expect((await shop.api.drop.get.query({ dropId })).state).toBe('closed');
    });
    const { items } = await shop.api.catalog.list.query();
    expect(items.filter(item => item.productId.startsWith('drill-'))).toEqual([]);
    await shop.close();
  });

  it('loses nobody who pays, and leaves no unit, among people who walk off, other cards, and webhooks that fail', {
    timeout: 200_000,
  }, async () => {
    const standIn = standInOf(installation.env);
    if (!standIn) throw new Error('this installation has a stand-in for Stripe');
    const { result, report, ends } = await drill({
      buyersCount: 60,
      stockCount: 18,
      abandonShare: 0.25,
      declineShare: 0.25,
      challengeShare: 0.25,
      breakWebhooksAt: standIn,
      withinMs: 180_000,
    });
    expect({ failed: result.gates.filter(gate => !gate.ok), findings: report.findings }).toEqual({
      failed: [],
      findings: [],
    });
    expect(result).toMatchObject({ sold: 18, oversold: 0, unsoldWithDemand: 0, ok: true });
    expect(report.items[0]?.redis).toMatchObject({ available: 0, held: 0, sold: 18 });
    expect(ends).toMatchObject({ paid: 18, failed: 0, unfinished: 0 });
    expect(result.troubles).toMatchObject({
      declined: expect.toSatisfy(isPositive),
      challenged: expect.toSatisfy(isPositive),
    });
    const { dropped = 0, duplicated = 0, reordered = 0 } = result.webhooks ?? {};
    expect([dropped, duplicated, reordered].every(isPositive)).toBe(true);
    // The next drill's webhooks come as they should.
    const control = controlStripe(standIn.url, standIn.controlKey);
    expect(await control.call('GET', 'webhooks/faults')).toEqual({ faults: [] });
  });

  it('goes on when server, worker and Redis are killed in the middle of it', {
    timeout: 150_000,
  }, async () => {
    const admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
    const untilPaid = (dropId: string, count: number) =>
      vi.waitFor(
        async () => {
          const report = await admin.api.admin.drop.report.query({ dropId, payments: false });
          expect(report.ordersPaid).toBeGreaterThanOrEqual(count);
        },
        { timeout: 60_000, interval: 50 },
      );
    let kills = Promise.resolve();
    const { result, report, ends } = await drill({
      shape: 'flat',
      buyersCount: 90,
      stockCount: 40,
      onDrop: dropId => {
        kills = (async () => {
          for (const [count, name] of [
            [2, 'worker'],
            [6, 'server'],
            [14, 'redis'],
          ] as const) {
            await untilPaid(dropId, count);
            installation.kill(name);
            await installation.untilReady(name);
          }
        })();
      },
    });
    await kills;
    await admin.close();
    expect({ failed: result.gates.filter(gate => !gate.ok), findings: report.findings, ends }).toMatchObject({
      failed: [],
      findings: [],
      ends: { paid: 40 },
    });
  });
});

describe('several servers behind one port', () => {
  it('keep every place, and tell everybody of the end, when one of them is killed in the middle', {
    timeout: 200_000,
  }, async () => {
    const several = await startInstallation({
      dataDir: path.join(folder, 'several'),
      port: 0,
      portShared: true,
      processes: { servers: 2 },
      env: { LOG_LEVEL: 'warn' },
    });
    try {
      expect(several.urls).toEqual([several.url]);
      const { server, 'server-2': other } = several.pids();
      const { result, report, ends } = await drill({
        url: several.url,
        adminKey: several.adminKey,
        shape: 'lobby',
        buyersCount: 72,
        stockCount: 16,
        // Few at a time: when the server dies, most still wait.
        pace: { ratePerSec: 100, activeMax: 4 },
        killServer() {
          several.kill('server');
          return several.untilReady('server');
        },
      });
      expect({ failed: result.gates.filter(gate => !gate.ok), findings: report.findings }).toEqual({
        failed: [],
        findings: [],
      });
      expect(ends).toMatchObject({ paid: 16, 'sold-out': 56 });
      expect(result).toMatchObject({ inversions: 0, serversKilled: 1, places: { moved: 0, lost: 0 } });
      // Those who waited at the killed one came back to the other, which told them their place again.
      expect(result.places.comparisons).toBeGreaterThan(0);
      expect(result.soldOutToldMs?.count).toBeGreaterThan(40);
      // The one that was killed, the other, and the one that took its place.
      const pids = result.servers.map(({ pid }) => Number(pid));
      expect(pids).toEqual(expect.arrayContaining([server, other, several.pids()['server']]));
      for (const { rssPeakBytes, rssBeforeBytes } of result.servers) {
        expect(rssPeakBytes).toBeGreaterThanOrEqual(rssBeforeBytes);
      }
    } finally {
      await several.stop();
    }
  });
});

describe('npm run drill', () => {
  const run = (...args: string[]) => runProgram(['scripts/drill.ts', ...args]);

  it('works on a running installation, writes its files, and exits 0', async () => {
    const json = path.join(folder, 'out.json');
    const html = path.join(folder, 'out.html');
    const target = ['--url', installation.url, '--admin-key', installation.adminKey];
    const files = ['--json', json, '--html', html];
    const { status, output } = await run(
      ...target,
      '--buyers',
      '30',
      '--stock',
      '12',
      '--told-within',
      '60000',
      ...files,
    );
    expect(output).toContain('Every gate held.');
    expect(output).not.toContain(installation.adminKey);
    expect(status).toBe(0);
    const result: Record<string, unknown> = JSON.parse(readFileSync(json, 'utf8'));
    expect(Object.keys(result).toSorted()).toEqual(resultKeys.toSorted());
    expect(result).toMatchObject({ buyers: 30, stock: 12, ...soldOut });
    for (const phase of ['join', 'admit', 'hold', 'pay', 'settle']) {
      expect(result).toHaveProperty(['phases', phase, 'p99Ms'], expect.any(Number));
    }
    expect(readFileSync(html, 'utf8')).toContain('Every gate held.');
  });

  it('starts an installation of its own where it is given none, and leaves nothing of it', async () => {
    const { status, output } = await run('--buyers', '10', '--stock', '4', '--told-within', '60000');
    expect(output).toContain('Every gate held.');
    expect(status).toBe(0);
    const url = output.match(/at (http:\S+)/)?.[1] ?? '';
    await expect(fetch(`${url}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('exits 2 and says why when it cannot be run', async () => {
    const refused = await run('--url', installation.url, '--admin-key', 'not-the-admin-key');
    expect(refused.status).toBe(2);
    expect(refused.output).toContain('does not take this admin key');
    expect(refused.output).not.toContain('    at ');
    const nobody = await run('--url', 'http://127.0.0.1:1', '--admin-key', 'some-admin-key');
    expect(nobody.status).toBe(2);
    expect(nobody.output).toContain('does not answer');
    const wrong = await run('--arrival', 'sideways');
    expect(wrong.status).toBe(2);
    expect(wrong.output).not.toContain('    at ');
    const help = await run('--help');
    expect(help.status).toBe(0);
    expect(help.output).toContain('--buyers N');
  });
});
