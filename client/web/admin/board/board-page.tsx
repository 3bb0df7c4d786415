// A drop while it runs: what matters most is biggest, what is wrong stands above all, what can be done is at hand.
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link } from 'wouter';
import { formatMoment } from '../../format/duration.ts';
import { formatCount } from '../../format/number.ts';
import { currentLocale } from '../../texts/language.ts';
import type { AdminDrop } from '../drops/edit-drop-form.tsx';
import { Awaited, Page } from '../parts/page.tsx';
import { DropTag } from '../parts/state-tag.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import {
  alarmsOf,
  type AlarmLine,
  silence,
  type Spoken,
  spokenOf,
  thresholds,
  type Alarm,
} from './alarms.rules.ts';
import { Steering } from './steering.tsx';
import { StockTable } from './stock-table.tsx';
import { TimeChart } from './time-chart.tsx';
import type { DropStats } from './drop-stats.ts';
import { type History, useSecond, useStats } from './use-stats.ts';

const settingsAgainMs = 5_000;

export function BoardPage({ dropId }: { dropId: string }) {
  const { api, may } = useStaff();
  const drop = useQuery({
    queryKey: ['drop', dropId],
    queryFn: () => api.admin.drop.get.query({ dropId }),
    refetchInterval: settingsAgainMs,
  });
  const { history, error } = useStats(dropId);
  const latest = history.points.at(-1);
  if (!drop.data) return <Awaited query={drop} title={words.drops.title} />;
  const state = latest?.state ?? drop.data.state;
  return (
    <Page
      title={drop.data.title}
      acts={
        <>
          <DropTag state={state} />
          {may('admin') && (
            <Link href={`/drops/${dropId}/edit`} className="button button-quiet">
              {words.drops.edit}
            </Link>
          )}
          {may('operator') && (
            <Link href={`/orders?drop=${dropId}`} className="button button-quiet">
              {words.board.showOrders}
            </Link>
          )}
          <a href={`/drops/${dropId}`} className="button button-quiet">
            {words.board.public}
          </a>
        </>
      }
    >
      <p className="hint board-times">
        {formatMoment(drop.data.opensAtMs)}
        {drop.data.closesAtMs !== undefined && ` – ${formatMoment(drop.data.closesAtMs)}`}
        {' · '}
        {words.form.modes[drop.data.mode][0]}
        {' · '}
        <code>{dropId}</code>
      </p>
      <AlarmBar stats={latest} history={history} opensAtMs={drop.data.opensAtMs} hasFailed={error !== null} />
      {may('operator') && <Steering drop={drop.data} state={state} onSteered={() => void drop.refetch()} />}
      {latest ? (
        <Figures stats={latest} drop={drop.data} />
      ) : (
        <p className="hint">{words.board.connecting}</p>
      )}
      {history.points.length > 1 && <Charts history={history} />}
      {latest && <StockTable stock={latest.stock} titles={drop.data.items} />}
      {latest && may('operator') && <OrderCounts orders={latest.orders} />}
    </Page>
  );
}

function AlarmBar({
  stats,
  history,
  opensAtMs,
  hasFailed,
}: {
  stats: DropStats | undefined;
  history: History;
  opensAtMs: number;
  hasFailed: boolean;
}) {
  const nowMs = useSecond();
  const ageMs = history.heardAtMs === 0 ? 0 : nowMs - history.heardAtMs;
  const isStale = ageMs > thresholds.staleMs || (hasFailed && history.heardAtMs > 0);
  const alarms = stats ? alarmsOf(stats, stats.serverTimeMs - opensAtMs) : [];
  const lines: AlarmLine[] = [
    ...(isStale ? [{ kind: 'stale' as const, text: words.board.stale(Math.round(ageMs / 1_000)) }] : []),
    ...alarms.map(alarm => ({ kind: alarm.kind, text: sayAlarm(alarm) })),
  ];
  const [spoken, setSpoken] = useState<Spoken>(silence);
  const next = spokenOf(spoken, lines);
  if (next !== spoken) setSpoken(next);
  return (
    <section className={`alarms ${lines.length === 0 ? 'alarms-none' : ''}`} aria-label={words.board.alarms}>
      <p className="visually-hidden" role="alert">
        {spoken.text}
      </p>
      <div>
        {lines.map(({ kind, text }) => (
          <p
            key={kind}
            className={`alarm ${kind === 'full' || kind === 'stalled' ? 'alarm-note' : 'alarm-bad'}`}
          >
            {text}
          </p>
        ))}
      </div>
      {lines.length === 0 && stats && <p className="alarm alarm-fine">{words.board.fine}</p>}
    </section>
  );
}

function sayAlarm(alarm: Alarm): string {
  const say = words.board.alarm;
  switch (alarm.kind) {
    case 'errors':
      return say.errors(alarm.perMin);
    case 'slow':
      return say.slow(alarm.ms);
    case 'behind':
      return say.behind(alarm.perMin, alarm.target);
    case 'full':
      return say.full;
    case 'stalled':
      return say.stalled;
  }
}

function Figures({ stats, drop }: { stats: DropStats; drop: AdminDrop }) {
  const text = words.board;
  const sold = stats.stock.reduce((sum, item) => sum + item.sold, 0);
  const total = stats.stock.reduce((sum, item) => sum + item.total - item.withdrawn, 0);
  const ms = (value: number | null) => (value === null ? words.none : `${formatCount(value)} ms`);
  const oneDecimal = new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: 1 });
  const steps = [
    { name: text.waiting, value: stats.waiting, hint: text.hints.waiting },
    { name: text.called, value: stats.called, hint: text.hints.called },
    { name: text.shopping, value: stats.shopping, hint: text.hints.shopping },
    { name: text.holding, value: stats.holding, hint: text.hints.holding },
    { name: text.paying, value: stats.paying, hint: text.hints.paying },
    { name: text.paidOrders, value: stats.paid, hint: text.hints.paid },
  ];
  return (
    <section className="board-figures" aria-label={text.live}>
      <div className="hero board-panel">
        <p className="figure-name">{text.paid}</p>
        <p className="hero-value figures">
          <span data-figure="sold">{formatCount(sold)}</span>
          <span className="hero-of">{text.paidOf(total)}</span>
        </p>
        <div className="hero-bar" aria-hidden="true">
          <svg viewBox="0 0 100 4" preserveAspectRatio="none">
            <rect width="100" height="4" className="hero-bar-all" />
            <rect width={total === 0 ? 0 : (100 * sold) / total} height="4" className="hero-bar-sold" />
          </svg>
        </div>
        <p className="hero-drop figure-hint">{drop.title}</p>
      </div>
      <dl className="side-figures">
        <div className="board-panel">
          <dt className="figure-name">{text.rate}</dt>
          <dd>
            <span className="figure-value figures">{formatCount(stats.calls.perMin)}</span>
            <span className="figure-hint">{text.target(stats.calls.targetPerMin)}</span>
          </dd>
        </div>
        <div className="board-panel">
          <dt className="figure-name">{text.active}</dt>
          <dd>
            <span className="figure-value figures">{formatCount(stats.calls.active)}</span>
            <span className="figure-hint">{text.activeOf(stats.calls.activeMax)}</span>
          </dd>
        </div>
        <div className="board-panel">
          <dt className="figure-name">{text.latency}</dt>
          <dd>
            <span className="figure-value figures">{ms(stats.process.p50Ms)}</span>
            <span className="figure-hint">{text.p95(ms(stats.process.p95Ms))}</span>
          </dd>
        </div>
        <div className={`board-panel ${stats.process.errorsPerMin > 0 ? 'is-alarm' : ''}`}>
          <dt className="figure-name">{text.errorsPerMin}</dt>
          <dd>
            <span className="figure-value figures">{oneDecimal.format(stats.process.errorsPerMin)}</span>
            <span className="figure-hint">{text.callsPerSec(Math.round(stats.process.callsPerSec))}</span>
          </dd>
        </div>
      </dl>
      <section className="funnel board-panel" aria-label={text.funnel}>
        <h2 className="figure-name">{text.funnel}</h2>
        <ol>
          {steps.map(({ name, value, hint }) => (
            <li key={name}>
              <span className="funnel-value figures">{formatCount(value)}</span>
              <span className="funnel-name">{name}</span>
              <span className="figure-hint">{hint}</span>
            </li>
          ))}
        </ol>
      </section>
    </section>
  );
}

function Charts({ history }: { history: History }) {
  const text = words.board;
  const { points, timesMs } = history;
  const charts = useMemo(() => {
    const line = (read: (point: DropStats) => number | null) => points.map(read);
    const sum = (point: DropStats, field: 'available' | 'held' | 'sold') =>
      point.stock.reduce((all, item) => all + item[field], 0);
    return {
      people: [
        { name: text.waiting, colour: '--amber', values: line(point => point.waiting) },
        { name: text.shopping, colour: '--mint', values: line(point => point.shopping + point.holding) },
        { name: text.paying, colour: '--board-ink', values: line(point => point.paying) },
      ],
      rate: [
        { name: text.chart.perMin, colour: '--mint', values: line(point => point.calls.perMin) },
        {
          name: text.chart.target,
          colour: '--board-soft',
          values: line(point => point.calls.targetPerMin),
          isDashed: true,
        },
      ],
      stock: [
        { name: text.available, colour: '--mint', values: line(point => sum(point, 'available')) },
        { name: text.held, colour: '--amber', values: line(point => sum(point, 'held')) },
        { name: text.sold, colour: '--board-ink', values: line(point => sum(point, 'sold')) },
      ],
      latency: [
        { name: text.chart.p50, colour: '--mint', values: line(point => point.process.p50Ms) },
        { name: text.chart.p95, colour: '--amber', values: line(point => point.process.p95Ms) },
      ],
    };
  }, [points, text]);
  return (
    <section className="charts" aria-label={text.charts}>
      <TimeChart title={text.chart.people} timesMs={timesMs} series={charts.people} />
      <TimeChart title={text.chart.rate} timesMs={timesMs} series={charts.rate} />
      <TimeChart title={text.chart.stock} timesMs={timesMs} series={charts.stock} />
      <TimeChart title={text.chart.latency} timesMs={timesMs} series={charts.latency} />
    </section>
  );
}

function OrderCounts({ orders }: { orders: DropStats['orders'] }) {
  const statuses = Object.entries(words.orders.statuses).flatMap(([status, name]) => {
    const known = Object.entries(orders).find(([key]) => key === status)?.[1] ?? 0;
    return known > 0 ? [{ status, name, known }] : [];
  });
  if (statuses.length === 0) return null;
  return (
    <section className="card counts" aria-label={words.board.ordersByStatus}>
      <h2>{words.board.ordersByStatus}</h2>
      <dl>
        {statuses.map(({ status, name, known }) => (
          <div key={status}>
            <dt>{name}</dt>
            <dd className="figures">{formatCount(known)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
