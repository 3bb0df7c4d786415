// `npm run check`: lint, types, format and Lua, all reported; fails if any of them does.
import path from 'node:path';
import { describeCheck, runChecks } from './check/run-checks.ts';

const results = await runChecks(path.resolve(import.meta.dirname, '..'));
for (const result of results) process.stdout.write(`${describeCheck(result)}\n`);
process.exitCode = results.every(each => each.ok) ? 0 : 1;
