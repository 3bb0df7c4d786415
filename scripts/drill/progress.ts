// How far a drill is: bars on a terminal, a line every few seconds where there is none.
import cliProgress from 'cli-progress';
import type { Tally } from './tally.ts';

export interface Progress {
  stop(): void;
}

const bars = ['arrived', 'joined', 'called', 'held', 'ended'] as const;
const drawEveryMs = 200;
const lineEveryMs = 2_000;

export function startProgress(options: {
  tally: Tally;
  buyersCount: number;
  stockCount: number;
  out: NodeJS.WriteStream;
}): Progress {
  return options.out.isTTY ? drawBars(options) : writeLines(options);
}

function drawBars({ tally, buyersCount, stockCount, out }: Parameters<typeof startProgress>[0]): Progress {
  const board = new cliProgress.MultiBar(
    {
      format: '  {name} [{bar}] {value} / {total}',
      stream: out,
      hideCursor: true,
      clearOnComplete: false,
      barsize: 30,
      // This process must stay free for its buyers.
      fps: 5,
    },
    cliProgress.Presets.rect,
  );
  const rows = bars.map(name => ({
    bar: board.create(buyersCount, 0, { name: name.padEnd(8) }),
    value: () => tally[name],
  }));
  rows.push({ bar: board.create(stockCount, 0, { name: 'paid'.padEnd(8) }), value: () => tally.ends.paid });
  const draw = () => {
    for (const { bar, value } of rows) bar.update(value());
  };
  const timer = setInterval(draw, drawEveryMs);
  return {
    stop() {
      clearInterval(timer);
      draw();
      board.stop();
    },
  };
}

function writeLines({ tally, stockCount, out }: Parameters<typeof startProgress>[0]): Progress {
  const startedAtMs = performance.now();
  let last = '';
  const write = () => {
    const reached = bars.map(name => `${name} ${tally[name]}`).join(', ');
    const line = `${reached}, paid ${tally.ends.paid} of ${stockCount}`;
    if (line === last) return;
    last = line;
    out.write(`  ${((performance.now() - startedAtMs) / 1_000).toFixed(0).padStart(4)} s  ${line}\n`);
  };
  const timer = setInterval(write, lineEveryMs);
  return {
    stop() {
      clearInterval(timer);
      write();
    },
  };
}
