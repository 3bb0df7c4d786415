import { roughSpan } from '../format/duration.ts';
import { formatCount } from '../format/number.ts';
import type { HistoryPoint } from '../live/history.ts';
import { useNow } from '../live/use-now.ts';
import { texts } from '../texts/texts.ts';
import { type ChartPoint, stepArea, stepPath } from './line-path.ts';

const width = 320;
const height = 64;
/** Shorter than this, a chart of a few seconds would jump about. */
const spanLeastMs = 20_000;

/**
 * Queue and stock over the last minutes, one under the other with the same time axis: each has its own scale. Until the
 * first figures come, their place is kept where they are to be expected.
 */
export function LiveCharts(props: {
  history: readonly HistoryPoint[];
  queueLine: 'arrived' | 'called';
  isComing: boolean;
}) {
  const { history, queueLine, isComing } = props;
  const nowMs = useNow(history.length > 0);
  const first = history[0];
  const last = history.at(-1);
  const label = texts.chart[`${queueLine}Line`];
  if (!first || !last) return isComing ? <ComingCharts label={label} /> : null;
  const toMs = Math.max(nowMs, last.atMs);
  const fromMs = Math.min(first.atMs, toMs - spanLeastMs);
  return (
    <figure className="live-charts" aria-label={texts.chart.description(label, last[queueLine], last.left)}>
      <Line
        className="chart-called"
        label={label}
        points={history.map(point => ({ atMs: point.atMs, value: point[queueLine] }))}
        fromMs={fromMs}
        toMs={toMs}
      />
      <Line
        className="chart-left"
        label={texts.chart.stockLine}
        points={history.map(({ atMs, left }) => ({ atMs, value: left }))}
        fromMs={fromMs}
        toMs={toMs}
      />
      <figcaption className="chart-axis">
        <span>{texts.chart.ago(roughSpan(toMs - fromMs))}</span>
        <span>{texts.chart.now}</span>
      </figcaption>
    </figure>
  );
}

function ComingCharts({ label }: { label: string }) {
  const nothing = { points: [], fromMs: 0, toMs: spanLeastMs };
  return (
    <div className="live-charts" aria-hidden="true">
      <Line className="chart-called" label={label} {...nothing} />
      <Line className="chart-left" label={texts.chart.stockLine} {...nothing} />
      <div className="chart-axis">
        <span>{texts.chart.ago(roughSpan(spanLeastMs))}</span>
        <span>{texts.chart.now}</span>
      </div>
    </div>
  );
}

function Line(props: {
  className: string;
  label: string;
  points: readonly ChartPoint[];
  fromMs: number;
  toMs: number;
}) {
  const { className, label, points, fromMs, toMs } = props;
  const value = points.at(-1)?.value;
  const valueMax = points.reduce((max, point) => Math.max(max, point.value), 1);
  const frame = { fromMs, toMs, valueMax, width, height };
  return (
    <div className={`chart ${className}`}>
      <p className="chart-head figures">
        <span>{label}</span>
        <strong>{value === undefined ? '–' : formatCount(value)}</strong>
      </p>
      <svg viewBox={`0 -3 ${width} ${height + 6}`} preserveAspectRatio="none" aria-hidden="true">
        <path className="chart-area" d={stepArea(points, frame)} />
        <path className="chart-base" d={`M0 ${height}H${width}`} />
        <path className="chart-line" d={stepPath(points, frame)} />
      </svg>
    </div>
  );
}
