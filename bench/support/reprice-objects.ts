// The other side of `price-transfer`: the same prices as objects, copied into the thread and back.
import { divideHalfUp } from '../../server/pricing/currencies.rules.ts';
import type { PriceChange } from '../../server/pricing/reprice.rules.ts';

export default function repriceObjects(task: {
  list: readonly { sku: string; amount: number }[];
  change: PriceChange;
}): { sku: string; amount: number }[] {
  const { basisPoints, step } = task.change;
  return task.list.map(({ sku, amount }) => ({
    sku,
    amount: divideHalfUp({ numerator: amount * basisPoints, denominator: 10_000, step }),
  }));
}
