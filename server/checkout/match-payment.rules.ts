// What Stripe's list says of a payment, held against what we know of its order. Pure. The order was read after the list:
// it may know more, never less.
import type { Order } from '../orders/order.ts';
import { afterNews, endedUnpaid, isMoneyCertain, wasPaid } from '../orders/order.rules.ts';
import { openRefund } from '../orders/refund.rules.ts';
import type { ListedPayment } from '../payments/payment-lists.ts';

/**
 * `none`: they agree. `unknown`: money is taken or held for an order that is not there. `foreign`: it is not the order's
 * own payment. `amount`: it is over another amount. `news`: the order has not heard of it. `ended`: its order ended unpaid, and money or a way to pay is left.
 */
export type Mismatch = 'none' | 'unknown' | 'foreign' | 'amount' | 'news' | 'ended' | 'refunds' | 'dispute';

export function mismatchOf(listed: ListedPayment, order: Order | null): Mismatch {
  const { payment, refundedShare, isDisputed } = listed;
  const { status } = payment;
  if (!order) return isMoneyCertain(status) && refundedShare < 1 ? 'unknown' : 'none';
  const { intent } = order;
  if (!intent || (intent.id !== null && intent.id !== payment.id))
    return isMoneyCertain(status) ? 'foreign' : 'none';
  if (payment.amount !== intent.params.amount || payment.currency !== intent.params.currency)
    return isMoneyCertain(status) ? 'amount' : 'none';
  if (afterNews(order.status, status) !== null) return 'news';
  if (endedUnpaid(order.status)) {
    const isLeft = status !== 'canceled' && status !== 'processing' && refundedShare < 1;
    return isLeft ? 'ended' : 'none';
  }
  if (isDisputed && order.dispute === null) return 'dispute';
  if (!wasPaid(order.status) || openRefund(order)) return 'none';
  return Math.round(order.quote.totalAmount * refundedShare) === order.refundedAmount ? 'none' : 'refunds';
}
