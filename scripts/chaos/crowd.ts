// A small drill under which a fault strikes: the crowd goes on as crowds do, and its gates must hold all the same.
import { runDrill, type Drill, type DrillOptions } from '../drill/run-drill.ts';
import type { Tally } from '../drill/tally.ts';
import { check, type Check } from './fault.ts';
import { waitUntil } from './wait-until.ts';
import type { World } from './world.ts';

export interface Crowd {
  readonly dropId: string;
  readonly tally: Tally;
  /** Resolves when so many have paid, by what buyers were told. */
  untilPaid(count: number): Promise<void>;
  /** How long until another buyer holds a unit: who is about to pay may do so without Redis. */
  untilHolding(): Promise<number>;
  /** How long until another buyer is told "paid": holds need no database. */
  untilPaying(): Promise<number>;
  /** Those who wait ask for their place, which must be the one that they had. */
  askForPlaces(): void;
}

const withinMs = 150_000;

/** Throws what `trouble` throws; a gate that fails is a check that fails. */
export async function sendCrowd(
  world: World,
  options: Partial<DrillOptions>,
  trouble: (crowd: Crowd) => Promise<void>,
): Promise<{ drill: Drill; checks: Check[] }> {
  const { installation, signal } = world;
  const ask = Promise.withResolvers<void>();
  let troubled: Promise<void> = Promise.resolve();
  const drill = await runDrill({
    url: installation.url,
    adminKey: installation.adminKey,
    buyersCount: 150,
    stockCount: 60,
    // So slow that a fault finds some who wait, some who hold and some who pay.
    pace: { ratePerSec: 6, activeMax: 15 },
    shape: 'flat',
    skusCount: 1,
    abandonShare: 0,
    declineShare: 0,
    challengeShare: 0,
    shortWindows: true,
    withinMs,
    // How soon is not the question while things are broken.
    toldWithinMs: withinMs,
    signal,
    out: null,
    askAgain: ask.promise,
    ...options,
    onDrop(dropId, tally) {
      troubled = trouble({
        dropId,
        tally,
        askForPlaces: () => ask.resolve(),
        async untilPaid(count) {
          await waitUntil(`${count} have paid`, () => tally.ends.paid >= count, { signal, withinMs });
        },
        untilPaying() {
          const { paid } = tally.ends;
          return waitUntil('somebody is told "paid"', () => tally.ends.paid > paid, {
            signal,
            withinMs: 60_000,
            everyMs: 10,
          });
        },
        untilHolding() {
          const { held } = tally;
          return waitUntil('somebody holds a unit', () => tally.held > held, {
            signal,
            withinMs: 60_000,
            everyMs: 10,
          });
        },
      });
      // Its failure is told once the crowd has gone home.
      troubled.catch(() => undefined);
    },
  });
  await troubled;
  const failed = drill.result.gates.filter(gate => !gate.ok);
  return {
    drill,
    checks: [
      check.is('gates of the drill', failed.map(({ name, value }) => `${name}: ${value}`).join('; '), ''),
      check.is('findings of its report', drill.report.findings.map(({ what }) => what).join('; '), ''),
    ],
  };
}

/** What every crowd's line says. */
export function crowdFigures({ result }: Drill): Record<string, number> {
  return {
    buyers: result.buyers,
    sold: result.sold,
    oversold: result.oversold,
    capturedMinor: result.capturedMinor,
    booksMinor: result.expectedMinor,
  };
}
