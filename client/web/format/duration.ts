// Spans of time, as a clock face and in words.
import { byLocale } from './by-locale.ts';

export interface ClockFace {
  readonly days: number;
  readonly hours: string;
  readonly minutes: string;
  readonly seconds: string;
}

const two = (number: number) => String(number).padStart(2, '0');

/** Rounded up to the second: a countdown shows 1 until the very end, and 0 only when it is over. */
export function clockFace(spanMs: number): ClockFace {
  const totalSec = Math.max(0, Math.ceil(spanMs / 1_000));
  return {
    days: Math.floor(totalSec / 86_400),
    hours: two(Math.floor((totalSec % 86_400) / 3_600)),
    minutes: two(Math.floor((totalSec % 3_600) / 60)),
    seconds: two(totalSec % 60),
  };
}

/** `4:05`, `1:04:05`: for short countdowns. */
export function shortClock(spanMs: number): string {
  const { days, hours, minutes, seconds } = clockFace(spanMs);
  const wholeHours = days * 24 + Number(hours);
  return wholeHours > 0 ? `${wholeHours}:${minutes}:${seconds}` : `${Number(minutes)}:${seconds}`;
}

/** What `<time datetime>` and screen readers want: `PT1H4M5S`. */
export function isoDuration(spanMs: number): string {
  const { days, hours, minutes, seconds } = clockFace(spanMs);
  return `P${days}DT${Number(hours)}H${Number(minutes)}M${Number(seconds)}S`;
}

const spans = byLocale(locale => {
  const unit = (name: string, digits = 0) =>
    new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: name,
      unitDisplay: 'long',
      maximumFractionDigits: digits,
    });
  return { seconds: unit('second'), minutes: unit('minute'), hours: unit('hour', 1) };
});

function rough(spanMs: number): { unit: 'seconds' | 'minutes' | 'hours'; value: number } {
  if (spanMs < 55_000) return { unit: 'seconds', value: Math.max(10, Math.round(spanMs / 10_000) * 10) };
  const minutes = Math.max(1, Math.round(spanMs / 60_000));
  if (minutes < 90) return { unit: 'minutes', value: minutes };
  return { unit: 'hours', value: Math.round(minutes / 30) / 2 };
}

/** In words and coarse, for estimates: "40 seconds", "7 minutes", "1.5 hours". */
export function roughSpan(spanMs: number): string {
  const { unit, value } = rough(spanMs);
  return spans()[unit].format(value);
}

/** The same from … to: "3–4 minutes", "50 seconds – 2 minutes"; one alone where they come to the same. */
export function roughRange(lowMs: number, highMs: number): string {
  const [low, high] = [rough(lowMs), rough(highMs)];
  if (low.unit !== high.unit) return `${roughSpan(lowMs)} – ${roughSpan(highMs)}`;
  if (low.value === high.value) return roughSpan(lowMs);
  return spans()[low.unit].formatRange(low.value, high.value);
}

const dayAndTime = byLocale(
  locale =>
    new Intl.DateTimeFormat(locale, {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: 'numeric',
      minute: '2-digit',
    }),
);

export function formatMoment(atMs: number): string {
  return dayAndTime().format(atMs);
}

const fullDate = byLocale(
  locale => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }),
);

/** With the year: of orders, which are looked at again much later. */
export function formatDate(atMs: number): string {
  return fullDate().format(atMs);
}
