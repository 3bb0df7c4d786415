// What a payment carries of its order, so that a MongoDB restored from an old backup can be checked against it: the
// drop, the order, its lines, and from the capture on its serials. No personal data.
import type { DropId, OrderId } from '../ids.ts';

/** Stripe's bound for one value. */
const valueCharsMax = 500;

export function metadataOfOrder(order: {
  orderId: OrderId;
  dropId: DropId;
  lines: readonly { sku: string; quantity: number }[];
}): Record<string, string> {
  return {
    drop: order.dropId,
    order: order.orderId,
    ...chunked(
      'lines',
      order.lines.map(({ sku, quantity }) => `${sku}=${quantity}`),
    ),
  };
}

export function metadataOfSerials(
  serials: readonly { sku: string; serial: number }[],
): Record<string, string> {
  const bySku = new Map<string, number[]>();
  for (const { sku, serial } of serials) bySku.set(sku, [...(bySku.get(sku) ?? []), serial]);
  return chunked(
    'serials',
    [...bySku].flatMap(([sku, own]) => rangesOf(own).map(range => `${sku}=${range}`)),
  );
}

/** Neighbours become ranges: `7-9` for 7, 8, 9. */
function rangesOf(serials: readonly number[]): string[] {
  const ranges: { from: number; to: number }[] = [];
  for (const serial of serials.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && serial === last.to + 1) last.to = serial;
    else ranges.push({ from: serial, to: serial });
  }
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`));
}

/** `name`, `name_2`, `name_3` …: as many values as the parts need, no part split. */
function chunked(name: string, parts: readonly string[]): Record<string, string> {
  const chunks: string[] = [];
  for (const part of parts) {
    const last = chunks.at(-1);
    if (last !== undefined && last.length + 1 + part.length <= valueCharsMax)
      chunks[chunks.length - 1] = `${last} ${part}`;
    else chunks.push(part);
  }
  return Object.fromEntries(
    chunks.map((chunk, index) => [index === 0 ? name : `${name}_${index + 1}`, chunk]),
  );
}
