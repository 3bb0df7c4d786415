// A drill's result for people: as text for a terminal, as one page that needs nothing else.
import type { Drill } from './run-drill.ts';
import { journeyEnds, phases } from './tally.ts';

export function describeDrill({ result, report, ends }: Drill): string {
  const lines = [
    '',
    `  ${result.buyers} buyers, ${result.stock} units, ${(result.wallMs / 1_000).toFixed(1)} s, ${result.journeysPerSec} journeys a second`,
    `  journeys ended: ${describeEnds(ends)}`,
    '',
    `  ${'phase'.padEnd(8)}${['p50', 'p95', 'p99'].map(name => name.padStart(10)).join('')}   ms`,
    ...phases.map(name => {
      const { p50Ms, p95Ms, p99Ms } = result.phases[name];
      return `  ${name.padEnd(8)}${[p50Ms, p95Ms, p99Ms].map(ms => ms.toFixed(0).padStart(10)).join('')}`;
    }),
    '',
    ...Object.entries(result.errors).map(([kind, count]) => `  ${String(count).padStart(7)} × ${kind}`),
    ...(Object.keys(result.errors).length > 0 ? [''] : []),
    ...describeServers(result),
    ...describeTroubles(result),
    '',
    ...result.gates.map(
      gate =>
        `  ${gate.ok ? 'ok    ' : 'FAILED'} ${gate.name}: ${gate.value}${gate.ok ? '' : `, must be ${limitOf(gate)}`}`,
    ),
    ...report.underWay.map(what => `         ${what}`),
    ...report.findings
      .slice(0, 20)
      .map(({ invariant, subject, what }) => `         invariant ${invariant}: ${subject} ${what}`),
    '',
    `  ${result.ok ? 'Every gate held.' : 'NOT EVERY GATE HELD.'}`,
    '',
  ];
  return lines.join('\n');
}

function limitOf({ limit, atMost }: Drill['result']['gates'][number]): string {
  return atMost ? `at most ${limit}` : String(limit);
}

function describeTroubles({ troubles, webhooks, falling }: Drill['result']): string[] {
  const met = Object.entries(troubles).filter(([, count]) => count > 0);
  return [
    ...(met.length > 0
      ? [`  planned trouble: ${met.map(([what, count]) => `${count} ${what}`).join(', ')}`]
      : []),
    ...(falling
      ? [
          `  prices paid, in minor units: ${Object.entries(falling.paid)
            .toSorted(([a], [b]) => Number(b) - Number(a))
            .map(([amount, count]) => `${count} × ${amount}`)
            .join(', ')}`,
        ]
      : []),
    ...(webhooks
      ? [
          `  webhooks: ${webhooks.dropped} events lost, ${webhooks.duplicated} sent twice, ${webhooks.reordered} late and out of order`,
        ]
      : []),
  ];
}

function describeServers({ servers, soldOutToldMs, places }: Drill['result']): string[] {
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const told = soldOutToldMs;
  return [
    ...servers.map(
      ({ pid, rssBeforeBytes, rssPeakBytes, socketsPeak, bytesPerSocket }) =>
        `  server ${pid}: ${mib(rssPeakBytes)} at its peak, ${mib(rssBeforeBytes)} before; ${socketsPeak} sockets` +
        (bytesPerSocket === null
          ? ''
          : `, ${(bytesPerSocket / 1_024).toFixed(1)} KiB each with all that they did`),
    ),
    ...(told
      ? [
          `  told of sold-out: ${told.count} who waited, p50 ${told.p50Ms}, p99 ${told.p99Ms}, max ${told.maxMs} ms`,
        ]
      : []),
    `  places: ${places.ranked} told their rank, ${places.comparisons} times told again, ${places.moved} moved`,
  ];
}

function describeEnds(ends: Drill['ends']): string {
  return journeyEnds
    .filter(end => ends[end] > 0)
    .map(end => `${ends[end]} ${end}`)
    .join(', ');
}

export function drillPage({ result, ends }: Drill): string {
  const row = (cells: readonly (string | number)[], tag = 'td') =>
    `<tr>${cells.map(cell => `<${tag}>${escape(String(cell))}</${tag}>`).join('')}</tr>`;
  const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
    `<table><thead>${row(head, 'th')}</thead><tbody>${rows.map(cells => row(cells)).join('')}</tbody></table>`;
  const slowestMs = Math.max(1, ...phases.map(name => result.phases[name].p99Ms));
  const bars = phases
    .map(name => {
      const { p50Ms, p95Ms, p99Ms } = result.phases[name];
      const bar = [p99Ms, p95Ms, p50Ms]
        .map((ms, index) => `<i class="p${index}" style="width:${((ms / slowestMs) * 100).toFixed(1)}%"></i>`)
        .join('');
      return `<dt>${name}</dt><dd><span>${bar}</span>${p50Ms} / ${p95Ms} / ${p99Ms} ms</dd>`;
    })
    .join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Drill: ${result.buyers} buyers, ${result.stock} units</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1c1f;background:#fff}
table{border-collapse:collapse;margin:1rem 0}th,td{text-align:left;padding:.25rem 1.5rem .25rem 0;border-bottom:1px solid #ddd}
.verdict{font-size:1.4rem;font-weight:650;color:${result.ok ? '#0a6b3d' : '#a8141f'}}
dt{font-weight:600}dd{margin:0 0 .6rem}dd span{display:block;position:relative;height:.8rem;background:#eee}
dd i{position:absolute;left:0;top:0;height:100%}.p0{background:#c9d7f2}.p1{background:#7f9fdc}.p2{background:#2b5bb8}
</style></head><body>
<h1>${result.buyers} buyers for ${result.stock} units</h1>
<p class="verdict">${result.ok ? 'Every gate held.' : 'Not every gate held.'}</p>
<p>${(result.wallMs / 1_000).toFixed(1)} s, ${result.journeysPerSec} journeys a second; ${escape(describeEnds(ends))}.</p>
<h2>Gates</h2>
${table(
  ['', 'gate', 'counted', 'must be'],
  result.gates.map(gate => [gate.ok ? '✓' : '✗', gate.name, gate.value, limitOf(gate)]),
)}
<h2>Phases: p50 / p95 / p99</h2><dl>${bars}</dl>
<h2>Servers</h2><pre>${escape([...describeServers(result), ...describeTroubles(result)].join('\n'))}</pre>
<h2>Errors</h2>
${Object.keys(result.errors).length > 0 ? table(['kind', 'count'], Object.entries(result.errors)) : '<p>None.</p>'}
</body></html>
`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
