// What is wrong with a page for those who cannot see it, or see little of it at a time: axe's word, and the page's width.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';

const axeText = readFileSync(
  path.resolve(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'),
  'utf8',
);

interface Axe {
  run(options: object): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
}

/**
 * What axe calls serious or critical on the page as it stands, and how far it scrolls sideways; each with the page's name.
 * Of all rules, or of some.
 */
export async function faultsForAll(
  page: Page,
  name: string,
  rules: readonly string[] = [],
): Promise<string[]> {
  // It is most of a megabyte, which the browser reads anew each time.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeText);
  const found = await page.evaluate(async runOnly => {
    const axe: Axe = Reflect.get(window, 'axe');
    const { violations } = await axe.run({
      resultTypes: ['violations'],
      ...(runOnly.length > 0 ? { runOnly } : {}),
    });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
  }, rules);
  const overflowPx = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  return [...found, ...(overflowPx > 0 ? [`scrolls sideways by ${overflowPx} px`] : [])].map(
    what => `${name}: ${what}`,
  );
}
