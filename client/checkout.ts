// From a pass to a payment that can be confirmed: quote, hold, pay. One hold id for all tries, so that trying again
// after a lost answer finds the hold and the order that there are.
import { withRetries, type RetryOptions } from './retry.ts';
import type { Api, ApiInputs, ApiOutputs } from './types.ts';

export interface CheckoutRequest {
  readonly pass: string;
  readonly dropId: string;
  readonly lines: ApiInputs['pricing']['quote']['lines'];
  readonly currency: string;
  readonly email: string;
  readonly address: ApiInputs['checkout']['pay']['address'];
  readonly coupon?: string;
  readonly shipping?: string;
  /** The caller's own id of this try, a UUID; the same id again goes on where it was. */
  readonly holdId?: string;
}

type Quoted = ApiOutputs['pricing']['quote'];
type Held = ApiOutputs['hold']['place'];
type Paid = ApiOutputs['checkout']['pay'];

/** `step` says who answered; the answer is that procedure's own. The way to the payment is `step: 'pay'`. */
export type CheckoutOutcome =
  | { step: 'quote'; holdId: string; answer: Exclude<Quoted, { kind: 'quoted' }> }
  | { step: 'hold'; holdId: string; answer: Exclude<Held, { kind: 'held' | 'paying' }> }
  | { step: 'pay'; holdId: string; answer: Paid };

export async function checkout(
  api: Api,
  request: CheckoutRequest,
  retry: RetryOptions = {},
): Promise<CheckoutOutcome> {
  const { pass, dropId, lines, currency, email, address, coupon, shipping } = request;
  const { country, state, postcode } = address;
  const holdId = request.holdId ?? crypto.randomUUID();
  const quoted = await withRetries(
    () =>
      api.pricing.quote.mutate({
        dropId,
        lines,
        currency,
        destination: {
          country,
          ...(state === undefined ? {} : { state }),
          ...(postcode === undefined ? {} : { postcode }),
        },
        ...(coupon === undefined ? {} : { coupon }),
        ...(shipping === undefined ? {} : { shipping }),
      }),
    retry,
  );
  if (quoted.kind !== 'quoted') return { step: 'quote', holdId, answer: quoted };
  const { quote } = quoted;
  const held = await withRetries(() => api.hold.place.mutate({ holdId, pass, quote }), retry);
  if (held.kind !== 'held' && held.kind !== 'paying') return { step: 'hold', holdId, answer: held };
  const answer = await withRetries(() => api.checkout.pay.mutate({ holdId, email, address }), retry);
  return { step: 'pay', holdId, answer };
}
