// The network between Stripe and us, for a test that decides what comes through it, when, and how often.
import type { Webhook } from '../../server/payments/webhook.ts';

interface Delivery {
  readonly type: string;
  readonly paymentId: string;
  readonly request: { rawBody: Buffer; signature: string };
}

/** Stripe's webhooks as they came, in the hands of the model: delivered late, twice, in another order, or never. */
export class Network {
  readonly #deliveries: Delivery[] = [];
  #wake: () => void = () => undefined;

  readonly receive: Webhook = request => {
    const { rawBody, signature } = request;
    const event: { type: string; data: { object: { id?: string; payment_intent?: string } } } = JSON.parse(
      rawBody.toString(),
    );
    const { id = '', payment_intent } = event.data.object;
    this.#deliveries.push({
      type: event.type,
      paymentId: payment_intent ?? id,
      request: { rawBody, signature: signature ?? '' },
    });
    this.#wake();
    return Promise.resolve({ status: 200, body: '' });
  };

  /** Forgets what has come so far. */
  clear(): void {
    this.#deliveries.length = 0;
  }

  count(paymentId: string): number {
    return this.#attempts(paymentId).length;
  }

  /** Waits for the news of one more attempt. */
  async more(paymentId: string, known: number): Promise<void> {
    while (this.#attempts(paymentId).length <= known) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  /** Of attempts the newest or the first; of captures, where it has come already. */
  find(paymentId: string, news: 'attempt' | 'first-attempt' | 'capture'): Delivery | undefined {
    if (news !== 'capture') return this.#attempts(paymentId).at(news === 'attempt' ? -1 : 0);
    return this.#deliveries.find(
      delivery => delivery.paymentId === paymentId && delivery.type === 'payment_intent.succeeded',
    );
  }

  #attempts(paymentId: string): Delivery[] {
    return this.#deliveries.filter(
      delivery => delivery.paymentId === paymentId && attemptTypes.has(delivery.type),
    );
  }
}

const attemptTypes = new Set([
  'payment_intent.requires_action',
  'payment_intent.amount_capturable_updated',
  'payment_intent.payment_failed',
]);
