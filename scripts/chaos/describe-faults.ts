// A fault's line, with its figures; what did not hold stands under it.
import type { FaultResult } from './run-faults.ts';

export function describeFault(result: FaultResult): string {
  const { number, title, outcome, tookMs, figures, checks, why } = result;
  const mark = { held: 'ok     ', failed: 'FAILED ', skipped: 'skipped' }[outcome];
  const told = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  const lines = [
    `${mark} ${String(number).padStart(2)}  ${title}: ${[...told, `${(tookMs / 1_000).toFixed(1)} s`].join(', ')}`,
    ...(why === null ? [] : [`            ${why}`]),
    ...checks.filter(({ ok }) => !ok).map(({ name, value }) => `            ${name}: ${value}`),
  ];
  return lines.join('\n');
}
