// The shop, as one visitor sees it on their way through: every page and state, with a picture at each stop.
import type { Page } from 'playwright-core';
import type { Shoot, Stage } from './stage.ts';

export async function walkShop(page: Page, stage: Stage, shoot: Shoot): Promise<void> {
  const go = async (address: string, landmark: string) => {
    await page.goto(new URL(address, stage.url).href);
    await page.getByText(landmark).first().waitFor();
    await page.waitForLoadState('networkidle');
  };
  await go('/', 'The catalog');
  await shoot('home');
  await go('/search?q=lamp', 'Sort by');
  await page.locator('.product-card h3').first().waitFor();
  await shoot('search');
  await page.locator('.product-card h3 a').first().click();
  await page.getByText('Variants').waitFor();
  await page.waitForLoadState('networkidle');
  await shoot('product');
  await go('/search?q=zzzzqqqq', 'Nothing found');
  await shoot('search-empty');
  await go('/nowhere', 'There is nothing at this address');
  await shoot('not-found');
  await go('/orders', 'No orders yet');
  await shoot('orders-empty');

  await go(`/drops/${stage.lobbyId}`, 'Get into the lobby');
  await page.getByText('How the shuffle works').click();
  await shoot('drop-lobby-outside');
  await page.getByRole('button', { name: 'Get into the lobby' }).click();
  await page.getByText('You are in the lobby').first().waitFor();
  await shoot('drop-lobby');

  await go(`/drops/${stage.queueId}`, 'Join the queue');
  await page.getByRole('button', { name: 'Join the queue' }).click();
  await page.getByText('ahead of you').first().waitFor();
  await page.getByRole('button', { name: 'Check it now' }).click();
  await page.getByText('Everything fits.').waitFor();
  await shoot('drop-queue');

  await go(`/drops/${stage.openId}`, 'Join the queue');
  await page.getByRole('button', { name: 'Join the queue' }).click();
  await page.getByRole('heading', { name: 'It is your turn' }).waitFor();
  const more = page.getByRole('button', { name: /^One .* more$/ }).first();
  await more.click();
  await more.click();
  await page.getByText('each instead of').waitFor();
  await shoot('checkout-choose');
  await page.getByRole('button', { name: 'Reserve it' }).click();
  const fields = {
    'E-mail': 'ada@example.com',
    Name: 'Ada Lovelace',
    'Street and number': '1 Analytical Row',
    Postcode: 'E1 6AN',
    City: 'London',
  };
  for (const [label, text] of Object.entries(fields)) {
    await page.getByLabel(label, { exact: true }).fill(text);
  }
  await shoot('checkout-details');
  await page.getByRole('button', { name: 'Continue to payment' }).click();
  const cards = page.getByRole('combobox', { name: /^Test cards/ });
  await cards.selectOption('4000 0000 0000 9995');
  await page.getByRole('button', { name: /^Pay/ }).click();
  await page.getByText('There is not enough money').waitFor();
  await shoot('checkout-declined');
  await cards.selectOption('4000 0027 6000 3184');
  await page.getByRole('button', { name: /^Pay/ }).click();
  const bank = page.frameLocator('iframe').getByRole('button', { name: 'Complete' });
  await bank.waitFor();
  await shoot('checkout-bank');
  await bank.click();
  await page.getByRole('link', { name: 'See the order' }).waitFor();
  await page
    .getByText(/^number \d+ of/)
    .first()
    .waitFor();
  await shoot('checkout-done');
  await page.getByRole('link', { name: 'See the order' }).click();
  await page.getByText('Your numbers').waitFor();
  await shoot('order');
  await go('/orders', 'Your orders');
  await shoot('orders');
  await go('/account', 'Your data');
  await shoot('account');
}
