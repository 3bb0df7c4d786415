// The API's own types, by the names that a page uses.
import type { TRPCClient } from '@trpc/client';
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import type { AppRouter } from '../server/api.ts';

export type { AppRouter };
export type Api = TRPCClient<AppRouter>;
export type ApiInputs = inferRouterInputs<AppRouter>;
export type ApiOutputs = inferRouterOutputs<AppRouter>;

/** What a subscription's events carry, without the id that they resume by. */
type Tracked<T> =
  T extends AsyncIterable<infer Event>
    ? Event extends readonly [string, infer Data, ...unknown[]]
      ? Data
      : Event extends { data: infer Data }
        ? Data
        : never
    : never;

export type DropView = ApiOutputs['drop']['get'];
export type DropWatch = Tracked<ApiOutputs['drop']['watch']>;
export type JoinOutcome = ApiOutputs['queue']['join'];
export type TicketStatus = ApiOutputs['queue']['get'];
export type OrderWatch = Tracked<ApiOutputs['order']['watch']>;
export type PayOutcome = ApiOutputs['checkout']['pay'];
