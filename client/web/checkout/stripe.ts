// Stripe's own script in the browser, or in an embedded installation its stand-in's, which answers to the same calls.
// Nothing is loaded from anywhere until there is a payment to make.
import type { Appearance, Stripe } from '@stripe/stripe-js';
import type { Payable } from '../engine/types.ts';
import { currentLanguage } from '../texts/language.ts';
import { isDark } from '../theme/theme.ts';

type Access = Payable['payments'];

const loading = new Map<string, Promise<Stripe>>();

export function loadStripe(access: Access): Promise<Stripe> {
  const known = loading.get(access.scriptUrl);
  if (known) return known;
  const stripe = isStripeItself(access) ? loadReal(access) : loadStandIn(access);
  loading.set(access.scriptUrl, stripe);
  // What did not load may load the next time that somebody tries.
  stripe.catch(() => loading.delete(access.scriptUrl));
  return stripe;
}

function isStripeItself({ apiBase }: Access): boolean {
  return new URL(apiBase).hostname === 'api.stripe.com';
}

async function loadReal({ publishableKey }: Access): Promise<Stripe> {
  const { loadStripe: load } = await import('@stripe/stripe-js/pure');
  const stripe = await load(publishableKey, { locale: currentLanguage() });
  if (!stripe) throw new Error('Stripe’s script did not load');
  return stripe;
}

/** It confirms where it came from, as Stripe's own does. */
async function loadStandIn({ publishableKey, scriptUrl }: Access): Promise<Stripe> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const script = document.createElement('script');
  script.src = scriptUrl;
  script.addEventListener('load', () => resolve());
  script.addEventListener('error', () => {
    script.remove();
    reject(new Error('The stand-in’s script did not load'));
  });
  document.head.append(script);
  await promise;
  if (!window.Stripe) throw new Error('The stand-in’s script did not define Stripe');
  return window.Stripe(publishableKey, { locale: currentLanguage() });
}

/** The payment form lives in another origin's frame: it is told the page's colours instead of inheriting them. */
export function formAppearance(): Appearance {
  const dark = isDark();
  return {
    theme: dark ? 'night' : 'stripe',
    variables: {
      colorBackground: dark ? '#0f1614' : '#f5f7f6',
      colorText: dark ? '#e9f0ed' : '#10201d',
      colorTextSecondary: dark ? '#a2b2ad' : '#4c5d58',
      colorPrimary: dark ? '#5fd6a4' : '#08704e',
      colorDanger: dark ? '#ff9a85' : '#a8321c',
      borderRadius: '8px',
      fontFamily: 'system-ui, sans-serif',
      fontSizeBase: '16px',
    },
  };
}
