import type { OrderStatus } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';

const tones: Record<OrderStatus, 'go' | 'wait' | 'over'> = {
  pending: 'wait',
  closing: 'wait',
  authorized: 'wait',
  cancelling: 'wait',
  paid: 'go',
  fulfilled: 'go',
  refunded: 'over',
  cancelled: 'over',
  expired: 'over',
};

export function StatusBadge({ status }: { status: OrderStatus }) {
  return <span className={`status-badge status-${tones[status]}`}>{texts.order.short[status]}</span>;
}
