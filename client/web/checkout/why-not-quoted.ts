import type { ApiOutputs } from '../../index.ts';
import { texts } from '../texts/texts.ts';

type NotQuoted = Exclude<ApiOutputs['pricing']['quote'], { kind: 'quoted' }>;

/** Why there is no price, and what the buyer can do about it. */
export function whyNotQuoted(outcome: NotQuoted): string {
  const { outcome: sentences, badCoupon } = texts.checkout;
  switch (outcome.kind) {
    case 'not-shippable':
      return sentences[`not-shippable-${outcome.because}`];
    case 'bad-coupon':
      return badCoupon[outcome.reason];
    case 'below-minimum':
    case 'busy':
      return sentences[outcome.kind];
  }
}
