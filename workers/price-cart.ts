// The tasks of the pricing threads: a whole batch of carts in one message, because waking a thread costs more than
// pricing a cart, and a block of a price list. They hold no state and do no I/O, so any thread may take any of them.
import { move } from 'piscina';
import { type Cart, type CartPrice, priceCart } from '../server/pricing/cart.rules.ts';
import { type PriceChange, repriceAmounts } from '../server/pricing/reprice.rules.ts';

export default function priceCarts(carts: readonly Cart[]): CartPrice[] {
  return carts.map(priceCart);
}

export interface RepriceTask {
  readonly amounts: Float64Array;
  readonly change: PriceChange;
}

/** The block comes without being copied, and goes back so. */
export function reprice({ amounts, change }: RepriceTask): Float64Array {
  repriceAmounts(amounts, change);
  move(amounts.buffer);
  return amounts;
}
