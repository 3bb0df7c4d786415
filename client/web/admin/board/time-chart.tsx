// Lines over the last minutes, drawn by uPlot on a canvas; the same in words and as a table for those who do not see it.
import { useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';
import { currentLocale } from '../../texts/language.ts';
import { words } from '../texts/texts.ts';

export interface Series {
  readonly name: string;
  /** The name of a colour of the theme. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly isDashed?: boolean;
}

const heightPx = 168;

export function TimeChart({
  title,
  timesMs,
  series,
}: {
  title: string;
  timesMs: readonly number[];
  series: readonly Series[];
}) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const theme = useThemeEdition();
  const shape = `${theme} ${series.map(({ name, colour }) => `${name}:${colour}`).join()}`;
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const colourOf = (name: string) => resolveColour(element, name);
    const ink = colourOf('--board-soft');
    const font = `12px ${style.fontFamily}`;
    const whole = new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: 1 });
    const clock = new Intl.DateTimeFormat(currentLocale(), {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: heightPx,
        cursor: { drag: { x: false, y: false }, points: { size: 6 } },
        legend: { show: false },
        scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
        axes: [
          {
            stroke: ink,
            font,
            grid: { show: false },
            ticks: { show: false },
            size: 28,
            space: 90,
            values: (_plot, ticks) => ticks.map(atSec => clock.format(atSec * 1_000)),
          },
          {
            stroke: ink,
            font,
            size: 52,
            space: 36,
            grid: { stroke: colourOf('--board-line'), width: 1 },
            ticks: { show: false },
            values: (_plot, ticks) => ticks.map(value => whole.format(value)),
          },
        ],
        series: [
          {},
          ...series.map(({ name, colour, isDashed }) => ({
            label: name,
            stroke: colourOf(colour),
            width: isDashed ? 1.5 : 2,
            ...(isDashed ? { dash: [5, 5] } : {}),
            points: { show: false },
          })),
        ],
      },
      [[], ...series.map(() => [])],
      element,
    );
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: heightPx }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
      chart.current = null;
    };
    // Made anew where its lines or its colours are others; its values come below.
  }, [shape]);
  useEffect(() => {
    chart.current?.setData([timesMs.map(atMs => atMs / 1_000), ...series.map(({ values }) => [...values])]);
  }, [timesMs, series, shape]);

  const format = useMemo(() => new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: 1 }), []);
  const say = (value: number | null | undefined) =>
    typeof value === 'number' ? format.format(value) : words.none;
  const summary = series
    .map(({ name, values }) => words.board.chart.summary(name, say(values.at(-1))))
    .join(', ');
  return (
    <figure className="chart">
      <figcaption>
        <span className="chart-title">{title}</span>
        <span className="chart-keys">
          {series.map(({ name, colour, values }) => (
            <span key={name} className={`chart-key chart-key${colour}`}>
              <i aria-hidden="true" /> {name} <b>{say(values.at(-1))}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={place} className="chart-place" role="img" aria-label={`${title}. ${summary}`} />
      <details className="chart-table">
        <summary>
          {words.board.chart.table}
          <span className="visually-hidden">: {title}</span>
        </summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.board.chart.series}</th>
              <th scope="col">{words.board.chart.now}</th>
              <th scope="col">{words.board.chart.least}</th>
              <th scope="col">{words.board.chart.most}</th>
            </tr>
          </thead>
          <tbody>
            {series.map(({ name, values }) => {
              const known = values.filter(value => value !== null);
              return (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{say(values.at(-1))}</td>
                  <td>{say(known.length > 0 ? Math.min(...known) : null)}</td>
                  <td>{say(known.length > 0 ? Math.max(...known) : null)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

/** A canvas knows no `light-dark()`: the browser is asked what the colour comes to in this place. */
function resolveColour(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Changes with the theme, so that what is drawn in its colours is drawn anew. */
function useThemeEdition(): string {
  const isDark = typeof matchMedia === 'function' && matchMedia('(prefers-color-scheme: dark)').matches;
  return `${document.documentElement.dataset['theme'] ?? 'system'} ${isDark}`;
}
