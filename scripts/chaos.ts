// `npm run chaos`: the fault table with real processes. Leaves nothing behind of what it started.
import { writeFileSync } from 'node:fs';
import { describeFault } from './chaos/describe-faults.ts';
import { faultTable, readResults } from './chaos/fault-table.ts';
import { faults } from './chaos/faults.ts';
import { readChaosOptions, usage } from './chaos/options.ts';
import { runFaults, type FaultResult } from './chaos/run-faults.ts';
import { runToEnd } from './command/run-to-end.ts';
import { say } from './command/say.ts';

async function main(signal: AbortSignal): Promise<number> {
  const options = readChaosOptions(process.argv.slice(2), faults);
  if (options === 'help') {
    say(usage);
    return 0;
  }
  if (options === 'list') {
    for (const { number, title } of faults) say(`${String(number).padStart(2)}  ${title}`);
    return 0;
  }
  if ('tableOf' in options) {
    const table = faultTable(options.tableOf.map(readResults));
    say(table.text);
    return table.ok ? 0 : 1;
  }
  const { seed, jsonFile } = options;
  say(`seed ${seed}`);
  const startedAtMs = performance.now();
  const seen: FaultResult[] = [];
  const tookMs = () => Math.round(performance.now() - startedAtMs);
  const isOk = () => seen.every(({ outcome }) => outcome !== 'failed');
  const results = await runFaults(options.faults, {
    seed,
    signal,
    say,
    onResult(result) {
      seen.push(result);
      say(describeFault(result));
      // After each: a run that is broken off leaves what it has seen.
      const told = { ok: isOk(), seed, tookMs: tookMs(), faults: seen };
      if (jsonFile !== null) writeFileSync(jsonFile, `${JSON.stringify(told, null, 2)}\n`);
    },
  });
  const count = (outcome: string) => results.filter(result => result.outcome === outcome).length;
  say(
    `${count('held')} of ${results.length} faults withstood, ${count('skipped')} skipped, ${count('failed')} failed; ` +
      `${(tookMs() / 1_000).toFixed(0)} s, seed ${seed}`,
  );
  return isOk() ? 0 : 1;
}

runToEnd('run', main);
