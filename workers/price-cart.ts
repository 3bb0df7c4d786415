// The task of the pricing threads: a whole batch of carts in one message, because waking a thread costs more than
// pricing a cart. It holds no state and does no I/O, so any thread may price any cart.
import { type Cart, type CartPrice, priceCart } from '../server/pricing/cart.rules.ts';

export default function priceCarts(carts: readonly Cart[]): CartPrice[] {
  return carts.map(priceCart);
}
