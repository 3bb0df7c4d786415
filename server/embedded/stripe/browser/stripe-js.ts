/**
 * The stand-in's replacement for Stripe's browser script: `Stripe(publishableKey, { apiBase })` with the calls that a
 * checkout page uses. Its form knows test cards only, and says so; its 3-D Secure challenge opens in a dialog.
 *
 * Like Stripe's own calls, these resolve with `{ paymentIntent }` or `{ error }` and do not reject. Everything it shows
 * lives in a shadow root with a constructed style sheet, so a page's strict content security policy does not mind it;
 * the policy must allow the stand-in's origin in script-src, connect-src and frame-src.
 *
 * It is served as a classic script with its types stripped, so it neither imports nor exports anything.
 */
(() => {
  'use strict';

  interface ApiError {
    type: string;
    code?: string | undefined;
    message: string;
  }
  interface Intent {
    id: string;
    status: string;
    payment_method_types?: string[];
    last_payment_error?: ApiError | null;
    next_action?:
      | { type: 'redirect_to_url'; redirect_to_url: { url: string } }
      | { type: 'use_stripe_sdk'; use_stripe_sdk: { stripe_js: string } }
      | null;
  }
  interface Result {
    paymentIntent?: Intent;
    error?: ApiError;
  }
  type Params = Record<string, string>;
  interface Api {
    retrieve: (clientSecret: string) => Promise<Result>;
    confirm: (clientSecret: string, params: Params) => Promise<Result>;
  }
  interface ConfirmParams {
    return_url?: string;
    payment_method?: string;
    payment_method_data?: object;
  }
  interface Elements {
    clientSecret: string;
    getElement: (type: string) => PaymentElement | null;
  }
  interface Confirmation {
    elements?: Elements;
    clientSecret?: string;
    confirmParams?: ConfirmParams;
    redirect?: 'always' | 'if_required';
  }
  type PaymentElement = ReturnType<typeof paymentElement>;
  type Detail = Record<string, unknown>;
  /** Of Stripe's, the variables that are colours, a font or a radius; all else is ignored. */
  interface Appearance {
    variables?: Record<string, string>;
  }

  const current = document.currentScript;
  const scriptOrigin = new URL(current instanceof HTMLScriptElement ? current.src : location.href).origin;

  const TEST_CARDS: ReadonlyArray<readonly [string, string]> = [
    ['4242 4242 4242 4242', 'succeeds'],
    ['4000 0027 6000 3184', 'asks for 3-D Secure'],
    ['4000 0000 0000 9995', 'has insufficient funds'],
    ['4000 0000 0000 0002', 'is declined'],
    ['4000 0000 0000 0069', 'has expired'],
    ['4000 0000 0000 0127', 'has another CVC'],
  ];
  const TYPE_NAMES: Readonly<Record<string, string>> = {
    card: 'Card',
    us_bank_account: 'US bank account',
    sepa_debit: 'SEPA debit',
  };

  const STYLE = `
    :host { display: block; font: 16px/1.4 var(--fontFamily, system-ui, sans-serif); color: var(--colorText, #1a1f36); }
    fieldset { border: 0; margin: 0; padding: 0; display: grid; gap: 0.75rem; }
    label { display: grid; gap: 0.25rem; font-size: 0.85rem; color: var(--colorTextSecondary, #4f566b); }
    input, select { font: inherit; color: var(--colorText, #1a1f36); padding: 0.6rem 0.7rem; border: 1px solid color-mix(in srgb, var(--colorText, #1a1f36) 28%, transparent); border-radius: var(--borderRadius, 6px); background: var(--colorBackground, #fff); width: 100%; box-sizing: border-box; }
    input:focus-visible, select:focus-visible { outline: 3px solid color-mix(in srgb, var(--colorPrimary, #635bff) 40%, transparent); border-color: var(--colorPrimary, #635bff); }
    button:focus-visible { outline: 3px solid #635bff55; border-color: #635bff; }
    .row { display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; }
    .note { font-size: 0.8rem; color: var(--colorTextSecondary, #5f6877); margin: 0; }
    .error { color: var(--colorDanger, #b3093c); font-size: 0.85rem; margin: 0; min-height: 1.2em; }
    [hidden] { display: none !important; }
    dialog { color: #1a1f36; background: #fff; border: 0; border-radius: 10px; padding: 0; width: min(26rem, 92vw); box-shadow: 0 20px 60px #0005; }
    dialog::backdrop { background: #0a254099; }
    iframe { border: 0; width: 100%; height: 15rem; display: block; }
    .bar { display: flex; justify-content: flex-end; padding: 0.5rem; border-top: 1px solid #e3e8ee; }
    button { font: inherit; color: #1a1f36; border: 1px solid #c1c9d2; background: #fff; border-radius: 6px; padding: 0.35rem 0.8rem; cursor: pointer; }
  `;

  function newElement<K extends keyof HTMLElementTagNameMap>(
    name: K,
    properties: Partial<HTMLElementTagNameMap[K]> = {},
    children: ReadonlyArray<Node | string> = [],
  ): HTMLElementTagNameMap[K] {
    const element = document.createElement(name);
    Object.assign(element, properties);
    element.append(...children);
    return element;
  }

  function shadowOf(host: HTMLElement): ShadowRoot {
    const root = host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    return root;
  }

  function idOf(clientSecret: string): string {
    return clientSecret.split('_secret_')[0] ?? '';
  }

  function failure(message: string, code: string): { error: ApiError } {
    return { error: { type: 'validation_error', code, message } };
  }

  /** Calls the API as a page may: with the publishable key, and nothing that it must not know. */
  function apiOf(apiBase: string, publishableKey: string): Api {
    async function call(method: 'GET' | 'POST', path: string, params: Params): Promise<Result> {
      const form = new URLSearchParams(params).toString();
      const url = `${apiBase}${path}${method === 'GET' && form !== '' ? `?${form}` : ''}`;
      try {
        const response = await fetch(url, {
          method,
          headers: {
            authorization: `Bearer ${publishableKey}`,
            ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
          },
          ...(method === 'POST' ? { body: form } : {}),
        });
        const body = await response.json();
        return response.ok ? { paymentIntent: body } : { error: body.error };
      } catch {
        return {
          error: { type: 'api_connection_error', message: 'The payment service could not be reached.' },
        };
      }
    }
    return {
      retrieve: clientSecret =>
        call('GET', `/v1/payment_intents/${idOf(clientSecret)}`, { client_secret: clientSecret }),
      confirm: (clientSecret, params) =>
        call('POST', `/v1/payment_intents/${idOf(clientSecret)}/confirm`, {
          ...params,
          client_secret: clientSecret,
          use_stripe_sdk: 'true',
        }),
    };
  }

  /** `{ a: { b: 1 } }` as `a[b]=1`, the way the API takes nested parameters. */
  function flatten(value: unknown, name: string, into: Params = {}): Params {
    if (value === undefined || value === null) return into;
    if (typeof value === 'string') return Object.assign(into, { [name]: value });
    if (typeof value !== 'object') return Object.assign(into, { [name]: JSON.stringify(value) });
    for (const [key, inner] of Object.entries(value))
      flatten(inner, name === '' ? key : `${name}[${key}]`, into);
    return into;
  }

  function emitter() {
    const handlers = new Map<string, Array<(detail: Detail) => void>>();
    return {
      on(event: string, handler: (detail: Detail) => void): void {
        handlers.set(event, [...(handlers.get(event) ?? []), handler]);
      },
      off(event: string): void {
        handlers.delete(event);
      },
      emit(event: string, detail: Detail): void {
        for (const handler of handlers.get(event) ?? []) handler(detail);
      },
    };
  }

  function field(label: string, properties: Partial<HTMLInputElement>) {
    const input = newElement('input', { autocomplete: 'off', ...properties });
    return { input, label: newElement('label', {}, [label, input]) };
  }

  /** The payment form: a method, its fields, and a line for what is wrong. */
  function paymentElement(api: Api, clientSecret: string, appearance: Appearance) {
    const events = emitter();
    const host = newElement('div');
    const root = shadowOf(host);
    for (const [name, value] of Object.entries(appearance.variables ?? {})) {
      host.style.setProperty(`--${name}`, value);
    }
    const number = field('Card number (test cards only)', {
      name: 'number',
      inputMode: 'numeric',
      placeholder: '4242 4242 4242 4242',
    });
    const expiry = field('Expires', { name: 'expiry', inputMode: 'numeric', placeholder: 'MM / YY' });
    const cvc = field('CVC', { name: 'cvc', inputMode: 'numeric', placeholder: '123', maxLength: 4 });
    const examples = newElement('select', { name: 'example' }, [
      newElement('option', { value: '', textContent: 'Fill in a test card …' }),
      ...TEST_CARDS.map(([card, what]) =>
        newElement('option', { value: card, textContent: `${card}: ${what}` }),
      ),
    ]);
    const account = field('Account number (a test account)', { name: 'account', value: '000123456789' });
    const iban = field('IBAN (a test account)', { name: 'iban', value: 'AT611904300234573201' });
    const method = newElement('select', { name: 'method' });
    const groups: Record<string, HTMLFieldSetElement> = {
      card: newElement('fieldset', {}, [
        newElement('label', {}, ['Test cards', examples]),
        number.label,
        newElement('div', { className: 'row' }, [expiry.label, cvc.label]),
      ]),
      us_bank_account: newElement('fieldset', { hidden: true }, [account.label]),
      sepa_debit: newElement('fieldset', { hidden: true }, [iban.label]),
    };
    const methodLabel = newElement('label', { hidden: true }, ['Pay by', method]);
    const problem = newElement('p', { className: 'error', role: 'alert' });
    const note = newElement('p', {
      className: 'note',
      textContent: 'Test mode: no money moves, real cards are refused.',
    });
    root.append(newElement('fieldset', {}, [methodLabel, ...Object.values(groups), note, problem]));

    const chosen = () => (method.value === '' ? 'card' : method.value);
    const complete = () => {
      if (chosen() !== 'card') return true;
      return (
        number.input.value.replace(/\D/g, '').length >= 12 &&
        /^\d\d\D+\d\d/.test(expiry.input.value) &&
        /^\d{3,4}$/.test(cvc.input.value)
      );
    };
    root.addEventListener('input', () => {
      problem.textContent = '';
      events.emit('change', { complete: complete(), empty: false, value: { type: chosen() } });
    });
    number.input.addEventListener('input', () => {
      number.input.value = number.input.value
        .replace(/\D/g, '')
        .slice(0, 19)
        .replace(/(.{4})(?=.)/g, '$1 ');
    });
    expiry.input.addEventListener('input', () => {
      const digits = expiry.input.value.replace(/\D/g, '').slice(0, 4);
      expiry.input.value = digits.length > 2 ? `${digits.slice(0, 2)} / ${digits.slice(2)}` : digits;
    });
    examples.addEventListener('change', () => {
      if (examples.value === '') return;
      number.input.value = examples.value;
      expiry.input.value = '12 / 40';
      cvc.input.value = '123';
    });
    method.addEventListener('change', () => {
      for (const [type, group] of Object.entries(groups)) group.hidden = type !== chosen();
    });

    function data() {
      const type = chosen();
      if (type === 'us_bank_account') {
        return {
          type,
          us_bank_account: { account_number: account.input.value, routing_number: '110000000' },
        };
      }
      if (type === 'sepa_debit') return { type, sepa_debit: { iban: iban.input.value } };
      const [month = '', year = ''] = expiry.input.value.split(/\D+/);
      const digits = number.input.value.replace(/\D/g, '');
      return {
        type,
        card: { number: digits, exp_month: Number(month), exp_year: Number(year), cvc: cvc.input.value },
      };
    }

    return {
      ...events,
      data,
      complete,
      showProblem: (message: string): void => {
        problem.textContent = message;
      },
      async mount(target: string | Element): Promise<void> {
        const parent = typeof target === 'string' ? document.querySelector(target) : target;
        if (parent === null) throw new Error('There is no such element to mount the payment form into.');
        parent.replaceChildren(host);
        const { paymentIntent } = await api.retrieve(clientSecret);
        const types = (paymentIntent?.payment_method_types ?? ['card']).filter(type => type in TYPE_NAMES);
        method.replaceChildren(
          ...types.map(type => newElement('option', { value: type, textContent: TYPE_NAMES[type] ?? type })),
        );
        methodLabel.hidden = types.length < 2;
        for (const [type, group] of Object.entries(groups)) group.hidden = type !== chosen();
        events.emit('ready', {});
      },
      unmount: () => host.remove(),
      destroy: () => host.remove(),
      focus: () => number.input.focus(),
      clear: () => {
        for (const { input } of [number, expiry, cvc]) input.value = '';
      },
    };
  }

  /** Shows the bank's page until the buyer has completed, failed or closed it. */
  function challenge(url: string): Promise<void> {
    return new Promise(resolve => {
      const host = newElement('div');
      const root = shadowOf(host);
      const close = newElement('button', { type: 'button', textContent: 'Cancel' });
      const frame = newElement('iframe', { src: url, title: '3-D Secure' });
      const dialog = newElement('dialog', {}, [frame, newElement('div', { className: 'bar' }, [close])]);
      root.append(dialog);
      document.body.append(host);
      const finish = () => {
        removeEventListener('message', onMessage);
        host.remove();
        resolve();
      };
      function onMessage(event: MessageEvent): void {
        if (event.origin === new URL(url).origin && event.data?.type === 'stripe-standin:challenge-over')
          finish();
      }
      addEventListener('message', onMessage);
      // Closing the dialog is refusing: the bank is told, as with Stripe's own dialog.
      const refuse = (): void => {
        void fetch(url, {
          method: 'POST',
          headers: { accept: 'application/json' },
          body: new URLSearchParams({ outcome: 'fail' }),
        })
          .catch(() => {})
          .then(finish);
      };
      close.addEventListener('click', refuse);
      dialog.addEventListener('cancel', refuse);
      dialog.showModal();
    });
  }

  function Stripe(publishableKey: string, options: { apiBase?: string } = {}) {
    if (!publishableKey.startsWith('pk_')) {
      throw new Error('Stripe(…) takes a publishable key (pk_…); a secret key must never reach a page.');
    }
    const api = apiOf((options.apiBase ?? scriptOrigin).replace(/\/$/, ''), publishableKey);

    async function handleNextAction({ clientSecret }: { clientSecret: string }): Promise<Result> {
      const before = await api.retrieve(clientSecret);
      const action = before.paymentIntent?.next_action;
      if (!action) return before;
      if (action.type === 'redirect_to_url') {
        location.assign(action.redirect_to_url.url);
        return new Promise(() => {});
      }
      await challenge(action.use_stripe_sdk.stripe_js);
      const after = await api.retrieve(clientSecret);
      const error = after.paymentIntent?.last_payment_error;
      return after.paymentIntent?.status === 'requires_payment_method' && error ? { error } : after;
    }

    async function confirm(clientSecret: string, params: Params): Promise<Result> {
      const confirmed = await api.confirm(clientSecret, params);
      return confirmed.paymentIntent?.status === 'requires_action'
        ? handleNextAction({ clientSecret })
        : confirmed;
    }

    async function confirmPayment(confirmation: Confirmation): Promise<Result> {
      const { elements, confirmParams = {}, redirect = 'always' } = confirmation;
      const clientSecret = confirmation.clientSecret ?? elements?.clientSecret;
      if (clientSecret === undefined)
        return failure('confirmPayment needs elements or a clientSecret.', 'parameter_missing');
      const element = elements?.getElement('payment');
      const { payment_method_data: more, payment_method: method, ...rest } = confirmParams;
      if (redirect === 'always' && rest.return_url === undefined) {
        return failure(
          'confirmParams.return_url is needed unless redirect is "if_required".',
          'parameter_missing',
        );
      }
      if (method === undefined && element?.complete() !== true) {
        element?.showProblem('Please complete the payment details.');
        return failure('Please complete the payment details.', 'incomplete_payment_details');
      }
      const chosen =
        method === undefined
          ? { payment_method_data: { ...more, ...element?.data() } }
          : { payment_method: method };
      const result = await confirm(clientSecret, flatten({ ...rest, ...chosen }, ''));
      if (result.error !== undefined) {
        element?.showProblem(result.error.message);
        return result;
      }
      if (redirect !== 'always') return result;
      const target = new URL(rest.return_url ?? '', location.href);
      target.searchParams.set('payment_intent', idOf(clientSecret));
      target.searchParams.set('payment_intent_client_secret', clientSecret);
      target.searchParams.set('redirect_status', 'succeeded');
      location.assign(target);
      return new Promise(() => {});
    }

    return {
      elements({ clientSecret, appearance = {} }: { clientSecret: string; appearance?: Appearance }) {
        const made = new Map<string, PaymentElement>();
        return {
          clientSecret,
          create(type: string): PaymentElement {
            if (type !== 'payment') throw new Error(`The stand-in has no "${type}" element, only "payment".`);
            const element = paymentElement(api, clientSecret, appearance);
            made.set(type, element);
            return element;
          },
          getElement: (type: string): PaymentElement | null => made.get(type) ?? null,
          submit: async () => {
            const element = made.get('payment');
            return element?.complete() === true
              ? {}
              : failure('Please complete the payment details.', 'incomplete_payment_details');
          },
          update: () => {},
          fetchUpdates: () => api.retrieve(clientSecret),
        };
      },
      confirmPayment,
      confirmCardPayment: (clientSecret: string, data: ConfirmParams = {}): Promise<Result> =>
        confirm(clientSecret, flatten(data, '')),
      retrievePaymentIntent: (clientSecret: string): Promise<Result> => api.retrieve(clientSecret),
      handleNextAction,
    };
  }

  Object.assign(globalThis, { Stripe: Object.assign(Stripe, { version: 'stand-in' }) });
})();
