/**
 * The stand-in's browser script in a real browser: a page of another origin mounts the form, pays, is declined, and
 * goes through a 3-D Secure challenge, under a content security policy as strict as the storefront's.
 */

import { createServer, type Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBrowser } from '../support/browser.ts';
import { type EmbeddedStripe, startEmbeddedStripe } from '../support/embedded-stripe.ts';
import { clientOf } from '../support/stripe-target.ts';

const PAGE_SCRIPT = `
  const query = new URLSearchParams(location.search);
  const stripe = Stripe(query.get('key'), { apiBase: query.get('api') });
  const elements = stripe.elements({ clientSecret: query.get('secret') });
  elements.create('payment').mount('#payment');
  document.querySelector('#pay').addEventListener('click', async () => {
    const result = await stripe.confirmPayment({ elements, redirect: 'if_required' });
    document.querySelector('#result').textContent = result.error ? 'error ' + result.error.code : result.paymentIntent.status;
  });
`;

describe('the browser script', () => {
  let embedded: EmbeddedStripe;
  let browser: Browser;
  let shop: Server;
  let shopUrl: string;

  beforeAll(async () => {
    embedded = await startEmbeddedStripe();
    browser = await startBrowser();
    shop = createServer((request, response) => {
      const isScript = request.url?.startsWith('/page.js') === true;
      response.writeHead(200, {
        'content-type': isScript ? 'text/javascript' : 'text/html',
        'content-security-policy': `default-src 'none'; script-src 'self' ${embedded.url}; connect-src ${embedded.url}; frame-src ${embedded.url}`,
      });
      const html = `<!doctype html><title>Shop</title><div id="payment"></div><button id="pay">Pay</button><output id="result"></output><script src="${embedded.url}/v3/"></script><script src="/page.js"></script>`;
      response.end(isScript ? PAGE_SCRIPT : html);
    });
    await new Promise<void>(resolve => {
      shop.listen(0, '127.0.0.1', resolve);
    });
    const address = shop.address();
    shopUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });
  afterAll(async () => {
    await browser.close();
    await embedded.stop();
    shop.close();
    shop.closeAllConnections();
  });

  async function checkout(): Promise<{ page: Page; id: string; result: () => Promise<string | null> }> {
    const intent = await clientOf(embedded).paymentIntents.create({
      amount: 4200,
      currency: 'usd',
      capture_method: 'manual',
    });
    const page = await browser.newPage();
    const query = new URLSearchParams({
      key: embedded.publishableKey,
      api: embedded.url,
      secret: intent.client_secret ?? '',
    });
    await page.goto(`${shopUrl}/?${query.toString()}`);
    return { page, id: intent.id, result: () => page.textContent('#result') };
  }

  test('pays with a test card', async () => {
    const { page, id, result } = await checkout();
    await page.fill('[name=number]', '4242424242424242');
    await page.fill('[name=expiry]', '1240');
    await page.fill('[name=cvc]', '123');
    await page.click('#pay');
    await expect.poll(result).toBe('requires_capture');
    expect(await clientOf(embedded).paymentIntents.retrieve(id)).toMatchObject({ amount_capturable: 4200 });
    await page.close();
  });

  test('says what is wrong with a card, and lets the buyer try another', async () => {
    const { page, result } = await checkout();
    await page.click('#pay');
    await expect.poll(result).toBe('error incomplete_payment_details');
    await page.selectOption('[name=example]', '4000 0000 0000 9995');
    await page.click('#pay');
    await expect.poll(result).toBe('error card_declined');
    expect(await page.textContent('[role=alert]')).toContain('insufficient funds');
    await page.selectOption('[name=example]', '4242 4242 4242 4242');
    await page.click('#pay');
    await expect.poll(result).toBe('requires_capture');
    await page.close();
  });

  test.each([
    ['Complete', 'requires_capture', 'requires_capture'],
    ['Fail', 'error payment_intent_authentication_failure', 'requires_payment_method'],
    ['Cancel', 'error payment_intent_authentication_failure', 'requires_payment_method'],
  ])('shows a 3-D Secure challenge, and "%s" ends it', async (button, shown, status) => {
    const { page, id, result } = await checkout();
    await page.selectOption('[name=example]', '4000 0027 6000 3184');
    await page.click('#pay');
    const where = button === 'Cancel' ? page : page.frameLocator('iframe');
    await where.getByRole('button', { name: button }).click();
    await expect.poll(result).toBe(shown);
    expect((await clientOf(embedded).paymentIntents.retrieve(id)).status).toBe(status);
    await page.close();
  });
});
