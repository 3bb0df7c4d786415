// Products as rows of a table, one for each variant, as the import reads them. The first row of a product says what is
// true of all its variants; the others name its id.
import type { ProductInput } from '../../server/catalog/product.ts';
import { decimalFromMinor } from '../../server/pricing/currencies.rules.ts';

export const csvColumns = [
  'productId',
  'title',
  'slug',
  'status',
  'taxClass',
  'description',
  'brand',
  'categories',
  'images',
  'popularity',
  'sku',
  'variantTitle',
  'barcode',
  'options',
  'price',
  'currency',
  'prices',
  'tiers',
  'attributes',
] as const;
type Column = (typeof csvColumns)[number];

/** Spreadsheets know UTF-8 by this mark, and take the file for something else without it. */
export const csvHeader = `\uFEFF${csvColumns.join(',')}\n`;

export function csvRowsOf(product: ProductInput): string {
  return product.variants
    .map((variant, index) => {
      const { sku, title, barcode, options, price, prices = [], tiers = [], attributes } = variant;
      const cells: Partial<Record<Column, string>> = {
        ...(index === 0 ? commonCells(product) : { productId: product.productId }),
        sku,
        variantTitle: title ?? '',
        barcode: barcode ?? '',
        options: options ? JSON.stringify(options) : '',
        price: decimalFromMinor(price.amount, price.currency),
        currency: price.currency,
        prices: prices
          .map(({ amount, currency }) => `${currency} ${decimalFromMinor(amount, currency)}`)
          .join('|'),
        tiers: tiers
          .map(tier => {
            const { amount, currency } = tier.price;
            return `${currency} ${tier.from} ${decimalFromMinor(amount, currency)}`;
          })
          .join('|'),
        attributes: attributes ? JSON.stringify(attributes) : '',
      };
      return `${csvColumns.map(column => cellOf(cells[column] ?? '')).join(',')}\n`;
    })
    .join('');
}

function commonCells(product: ProductInput): Partial<Record<Column, string>> {
  return {
    productId: product.productId,
    title: product.title,
    slug: product.slug ?? '',
    status: product.status ?? '',
    taxClass: product.taxClass ?? '',
    description: product.description ?? '',
    brand: product.brand ?? '',
    categories: listCell(product.categories ?? []),
    images: listCell(product.images ?? []),
    popularity: String(product.popularity ?? 0),
  };
}

function listCell(texts: readonly string[]): string {
  return texts.map(text => text.replace(/[\\|]/g, sign => `\\${sign}`)).join('|');
}

/**
 * A cell that begins as a formula does would be run by a spreadsheet that opens the file, whoever wrote the product
 * (OWASP, "CSV Injection"): an apostrophe makes it a text. The import takes it off again.
 */
function cellOf(text: string): string {
  const safe = /^'*[=+@-]/.test(text) ? `'${text}` : text;
  return /[",;\t\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
