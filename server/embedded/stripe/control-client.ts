/**
 * The stand-in's control endpoints (README.md beside this file) as calls: for tests, the drill and the fault matrix.
 */

export interface StripeControl {
  call: (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<Record<string, unknown>>;
  advance: (advanceMs: number) => Promise<void>;
  freeze: (frozen: boolean) => Promise<void>;
  nowMs: () => Promise<number>;
  addFault: (fault: object) => Promise<void>;
  clearFaults: () => Promise<void>;
  addWebhookFault: (fault: object) => Promise<void>;
  pauseWebhooks: () => Promise<void>;
  resumeWebhooks: (order?: 'fifo' | 'reverse' | 'shuffle') => Promise<void>;
  webhooks: () => Promise<Record<string, unknown>>;
  redeliver: (event: string) => Promise<void>;
  authenticate: (paymentIntent: string, outcome: 'succeed' | 'fail') => Promise<void>;
  settle: (paymentIntent: string, outcome: 'succeed' | 'fail') => Promise<void>;
  seed: (seed: number) => Promise<void>;
  /** `by`: the name of one more piece of metadata, for whose values the same is told apart. */
  books: (metadata?: Record<string, string>, by?: string) => Promise<Record<string, unknown>>;
  reset: () => Promise<void>;
}

/** `controlKey` is the secret key, where the stand-in was given no other. A refusal is thrown. */
export function controlStripe(url: string, controlKey: string): StripeControl {
  const call: StripeControl['call'] = async (method, path, body) => {
    const response = await fetch(`${url}/_control/${path}`, {
      method,
      headers: { authorization: `Bearer ${controlKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: Record<string, unknown> = await response.json();
    if (!response.ok) throw new Error(`Control call ${method} ${path} failed: ${JSON.stringify(answer)}`);
    return answer;
  };
  const post = async (path: string, body: object = {}): Promise<void> => {
    await call('POST', path, body);
  };
  return {
    call,
    advance: advanceMs => post('clock', { advanceMs }),
    freeze: frozen => post('clock', { frozen }),
    nowMs: async () => Number((await call('GET', 'clock'))['nowMs']),
    addFault: fault => post('faults', fault),
    clearFaults: async () => {
      await call('DELETE', 'faults');
      await call('DELETE', 'webhooks/faults');
    },
    addWebhookFault: fault => post('webhooks/faults', fault),
    pauseWebhooks: () => post('webhooks/pause'),
    resumeWebhooks: (order = 'fifo') => post('webhooks/resume', { order }),
    webhooks: () => call('GET', 'webhooks'),
    redeliver: event => post('webhooks/redeliver', { event }),
    authenticate: (paymentIntent, outcome) =>
      post(`payment_intents/${paymentIntent}/authenticate`, { outcome }),
    settle: (paymentIntent, outcome) => post(`payment_intents/${paymentIntent}/settle`, { outcome }),
    seed: seed => post('seed', { seed }),
    books: (metadata = {}, by) => {
      const query = Object.entries(metadata).map(
        ([name, value]) => `metadata[${encodeURIComponent(name)}]=${encodeURIComponent(value)}`,
      );
      if (by !== undefined) query.push(`by=${encodeURIComponent(by)}`);
      return call('GET', `books?${query.join('&')}`);
    },
    reset: () => post('reset'),
  };
}
