// What the engine's API answers with, taken from its own types, so that the pages cannot drift from it.
import type { ApiInputs, ApiOutputs, DropView } from '../../index.ts';

export type { DropWatch, JoinOutcome, OrderWatch, PayOutcome, TicketStatus } from '../../index.ts';

export type Drop = DropView;
export type DropState = Drop['state'];
export type DropMode = Drop['mode'];
export type Availability = Drop['items'][number]['availability'];

export type CartLine = ApiInputs['pricing']['quote']['lines'][number];
export type Destination = ApiInputs['pricing']['quote']['destination'];
export type QuoteOutcome = ApiOutputs['pricing']['quote'];
export type Quoted = Extract<QuoteOutcome, { kind: 'quoted' }>;
export type HoldOutcome = ApiOutputs['hold']['place'];
export type Hold = ApiOutputs['hold']['get'];
export type Address = ApiInputs['checkout']['pay']['address'];
export type Payable = Extract<ApiOutputs['checkout']['pay'], { kind: 'payable' }>;
export type Order = ApiOutputs['order']['get'];
export type OrderStatus = Order['status'];

export type Product = ApiOutputs['catalog']['product'];
export type Variant = Product['variants'][number];
export type SearchAnswer = ApiOutputs['search']['products'];
export type SearchHit = SearchAnswer['hits'][number];
export type Suggestion = ApiOutputs['search']['suggest']['suggestions'][number];
