import { words } from '../texts/texts.ts';

type DropState = keyof typeof words.states;
type OrderStatus = keyof typeof words.orders.statuses;

const orderTones = {
  pending: 'quiet',
  closing: 'quiet',
  authorized: 'held',
  cancelling: 'quiet',
  paid: 'go',
  fulfilled: 'go',
  refunded: 'held',
  cancelled: 'quiet',
  expired: 'quiet',
} as const satisfies Record<OrderStatus, string>;

const dropTones = {
  scheduled: 'quiet',
  lobby: 'held',
  open: 'go',
  paused: 'alarm',
  'sold-out': 'quiet',
  closed: 'quiet',
} as const satisfies Record<DropState, string>;

export function DropTag({ state }: { state: DropState }) {
  return <span className={`tag tag-${dropTones[state]}`}>{words.states[state]}</span>;
}

export function OrderTag({ status }: { status: OrderStatus }) {
  return <span className={`tag tag-${orderTones[status]}`}>{words.orders.statuses[status]}</span>;
}
