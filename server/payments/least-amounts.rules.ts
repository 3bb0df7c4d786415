// The least that Stripe takes in one payment, by the currency of the charge.
//
// Source: docs.stripe.com/currencies, "Minimum and maximum charge amounts", as read in November 2026. Stripe reckons the
// least amount in the currency that the account settles in: where that is another one, the converted amount must
// reach that currency's least amount, too. Rates change by the hour and accounts differ, so that is not foreseen here;
// such a payment is refused by Stripe, and its order ends with the reason `payment-refused`. For a currency that is not
// in the table, Stripe states no amount of its own.

/** In minor units of the currency. */
const leastAmounts: ReadonlyMap<string, number> = new Map(
  Object.entries({
    USD: 50,
    AED: 200,
    AUD: 50,
    BGN: 100,
    BRL: 50,
    CAD: 50,
    CHF: 50,
    CZK: 1_500,
    DKK: 250,
    EUR: 50,
    GBP: 30,
    HKD: 400,
    HUF: 17_500,
    INR: 50,
    JPY: 50,
    MXN: 1_000,
    MYR: 200,
    NOK: 300,
    NZD: 50,
    PLN: 200,
    RON: 200,
    SEK: 300,
    SGD: 50,
    THB: 1_000,
  }),
);

/** The least that must be charged, where this total is below it; null where it can be paid. Nothing to pay is fine. */
export function missedLeastAmount(total: { amount: number; currency: string }): number | null {
  const least = leastAmounts.get(total.currency);
  return least === undefined || total.amount === 0 || total.amount >= least ? null : least;
}
