// The shape of a small chart's line: steps, because calls and sales happen at instants and not in between.

export interface ChartPoint {
  readonly atMs: number;
  readonly value: number;
}

export interface ChartFrame {
  readonly fromMs: number;
  readonly toMs: number;
  readonly valueMax: number;
  readonly width: number;
  readonly height: number;
}

/** The path's `d`, from the first point to the frame's right edge; empty without points. */
export function stepPath(points: readonly ChartPoint[], frame: ChartFrame): string {
  const { fromMs, toMs, valueMax, width, height } = frame;
  const spanMs = Math.max(1, toMs - fromMs);
  const x = (atMs: number) => round(Math.max(0, ((atMs - fromMs) / spanMs) * width));
  const y = (value: number) => round(height - (value / Math.max(1, valueMax)) * height);
  const [first, ...rest] = points;
  if (!first) return '';
  const steps = rest.map(point => `H${x(point.atMs)}V${y(point.value)}`);
  return `M${x(first.atMs)} ${y(first.value)}${steps.join('')}H${width}`;
}

/** The same as an area down to the base line. */
export function stepArea(points: readonly ChartPoint[], frame: ChartFrame): string {
  const line = stepPath(points, frame);
  const [first] = points;
  if (!first || line === '') return '';
  const left = Math.max(
    0,
    ((first.atMs - frame.fromMs) / Math.max(1, frame.toMs - frame.fromMs)) * frame.width,
  );
  return `${line}V${frame.height}H${round(left)}Z`;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
