// Gives the client to the hooks below it, together with the live feeds that they share.
import { createContext, createElement, useContext, useMemo, type ReactElement, type ReactNode } from 'react';
import type { Doorbuster } from '../index.ts';
import { createFeeds } from './feed.ts';

type UsedClient = Pick<
  Doorbuster,
  'api' | 'clock' | 'syncClock' | 'watchDrop' | 'watchTicket' | 'watchOrder'
>;

/** What the hooks use of the client, so that a test may bring its own. */
export type HooksClient = UsedClient & Pick<Doorbuster, 'placeOf'>;

/** The server tells a drop's news four times a second; this only bites where several arrive at once. */
const dropNewsApartMs = 200;

function createShared(client: HooksClient) {
  return {
    client,
    drops: createFeeds((dropId, signal) => watchOnTime(client, dropId, signal), { apartMs: dropNewsApartMs }),
    tickets: createFeeds((ticket, signal) => client.watchTicket(ticket, signal)),
    orders: createFeeds((orderId, signal) => client.watchOrder(orderId, signal)),
  };
}

/** Who watches a drop counts down to it: the clock is made right by some round trips on the way. */
function watchOnTime(client: HooksClient, dropId: string, signal: AbortSignal) {
  // Without them the clock goes by what the drop's own news say, which is nearly as good.
  if (client.clock.uncertaintyMs() === null) client.syncClock(dropId).catch(() => undefined);
  return client.watchDrop(dropId, signal);
}

const Shared = createContext<ReturnType<typeof createShared> | null>(null);

export interface DoorbusterProviderProps {
  /** One for the whole page, made outside of rendering. */
  readonly client: HooksClient;
  readonly children?: ReactNode;
}

export function DoorbusterProvider({ client, children }: DoorbusterProviderProps): ReactElement {
  const shared = useMemo(() => createShared(client), [client]);
  return createElement(Shared.Provider, { value: shared }, children);
}

export function useShared(): ReturnType<typeof createShared> {
  const shared = useContext(Shared);
  if (shared === null) throw new Error('Doorbuster hooks are used outside of a DoorbusterProvider');
  return shared;
}

/** The client itself, for calls. */
export function useDoorbuster(): HooksClient {
  return useShared().client;
}
