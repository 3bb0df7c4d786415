// React hooks over the client: each is live, shares its subscription with every component that asks for the same, and
// outlives reconnections.
//
//   <DoorbusterProvider client={shop}> … const { drop } = useDrop(dropId); … </DoorbusterProvider>
export {
  DoorbusterProvider,
  useDoorbuster,
  type DoorbusterProviderProps,
  type HooksClient,
} from './provider.ts';
export { useCountdown } from './use-countdown.ts';
export { useDrop, type LiveDrop } from './use-drop.ts';
export { useOrder, type LiveOrder } from './use-order.ts';
export { usePrice } from './use-price.ts';
export { useQueue, type LiveQueue, type QueueOptions, type Ticket } from './use-queue.ts';
