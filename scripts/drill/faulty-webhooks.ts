// Webhooks as a bad day brings them: one event in five is lost, half of the others come twice, all of them late and
// so out of order. The Stripe stand-in does it, from the drill's first event to its end.
import { z } from 'zod';
import { controlStripe, type StripeControl } from '../../server/embedded/stripe/control-client.ts';

/** How many events each fault struck. */
export type WebhookTroubles = Readonly<Record<'dropped' | 'duplicated' | 'reordered', number>>;

/** Where the stand-in is, and the key that its control endpoints take. */
export interface StandIn {
  readonly url: string;
  readonly controlKey: string;
}

const faults = [
  { kind: 'drop', probability: 0.2 },
  { kind: 'reorder', delayMs: 3_000 },
  { kind: 'duplicate', probability: 0.5, delayMs: 700 },
] as const;

const listSchema = z.object({ faults: z.array(z.object({ kind: z.string(), hits: z.int() })) });

export async function breakWebhooks(standIn: StandIn): Promise<{ mend(): Promise<WebhookTroubles> }> {
  const control = controlStripe(standIn.url, standIn.controlKey);
  await mend(control);
  for (const fault of faults) await control.addWebhookFault(fault);
  return {
    async mend() {
      const { faults: struck } = listSchema.parse(await control.call('GET', 'webhooks/faults'));
      const hitsOf = (kind: string) => struck.find(each => each.kind === kind)?.hits ?? 0;
      await mend(control);
      return { dropped: hitsOf('drop'), duplicated: hitsOf('duplicate'), reordered: hitsOf('reorder') };
    },
  };
}

async function mend(control: StripeControl): Promise<void> {
  await control.call('DELETE', 'webhooks/faults');
}

/** The stand-in that an installation uses, by its settings; null where it uses Stripe itself. */
export function standInOf(settings: Readonly<Record<string, string>>): StandIn | null {
  const url = settings['STRIPE_API_BASE'];
  const controlKey = settings['STRIPE_SECRET_KEY'];
  return url && controlKey ? { url, controlKey } : null;
}
