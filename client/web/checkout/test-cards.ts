// Stripe's documented test payment methods, as far as a visitor of a demo would want to try them.
import { texts } from '../texts/texts.ts';

export const testCards = [
  { paymentMethod: 'pm_card_visa', label: texts.checkout.cards.success },
  { paymentMethod: 'pm_card_chargeDeclined', label: texts.checkout.cards.declined },
  { paymentMethod: 'pm_card_chargeDeclinedInsufficientFunds', label: texts.checkout.cards.insufficient },
  { paymentMethod: 'pm_card_threeDSecure2Required', label: texts.checkout.cards.authenticate },
] as const;

/** Test payment methods work at the stand-in; at Stripe itself a card is typed into Stripe's own form. */
export function takesTestCards(apiBase: string): boolean {
  return new URL(apiBase).hostname !== 'api.stripe.com';
}
