// `npm run bench`: measures the rows of bench/ side by side and says which targets were reached. Leaves nothing behind
// of what it started.
import { writeFileSync } from 'node:fs';
import { collectRows } from './bench/collect-rows.ts';
import { describeResults, describeSurroundings } from './bench/describe-results.ts';
import { readCommandLine, usage } from './bench/options.ts';
import { runRow, type RowResult } from './bench/run-row.ts';
import { runToEnd } from './command/run-to-end.ts';
import { say } from './command/say.ts';

async function main(signal: AbortSignal): Promise<number> {
  const options = readCommandLine(process.argv.slice(2));
  if (options === 'help') {
    say(usage);
    return 0;
  }
  const rows = await collectRows(options.only);
  if (options.kind === 'list') {
    for (const row of rows) say(`${row.name}  ${row.question}`);
    return 0;
  }
  const surroundings = describeSurroundings();
  say(`${surroundings.machine}, Node ${surroundings.node}, commit ${surroundings.commit}`);
  const results: RowResult[] = [];
  const failed: string[] = [];
  for (const [index, row] of rows.entries()) {
    signal.throwIfAborted();
    say(`\n[${index + 1}/${rows.length}] ${row.name}: ${row.question}, against ${row.referenceName}`);
    try {
      const sayOf = (line: string) => say(`  ${line}`);
      results.push(await runRow({ row, roundsCount: options.roundsCount, say: sayOf, signal }));
    } catch (error) {
      signal.throwIfAborted();
      failed.push(row.name);
      say(`  could not be measured: ${error instanceof Error ? error.stack : String(error)}`);
    }
    // Written after each row: a run of an hour that is broken off has not been for nothing.
    if (options.jsonFile !== null) {
      writeFileSync(options.jsonFile, `${JSON.stringify({ ...surroundings, results }, null, 2)}\n`);
    }
  }
  say(`\n${describeResults(results)}`);
  if (failed.length > 0) {
    say(`Could not be measured: ${failed.join(', ')}`);
    return 2;
  }
  return results.every(result => result.reached) ? 0 : 1;
}

runToEnd('bench', main);
