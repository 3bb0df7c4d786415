// A record of a file as a product of the catalog. Two shapes are understood: our own (with `variants`), and the flat one
// of shop exports: name, description, brand, categories, price in major units, image, popularity. A flat record gets an
// id made of what makes it that product (its own id or SKU; else name, brand and image), so that a second import of the
// same file changes nothing, and two products that share a name stay two.
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { minorFromDecimal } from '../pricing/currencies.rules.ts';
import { slugOf } from './catalog.rules.ts';
import { type ProductInput, productInputSchema } from './product.ts';

export interface Problem {
  field: string;
  reason: string;
}

export type MappedRecord =
  | { kind: 'product'; product: ProductInput; adjusted: Problem[]; ignoredFields: string[] }
  | { kind: 'refused'; problems: Problem[] };

const flatFields = {
  id: ['productId', 'id'],
  sku: ['sku'],
  title: ['title', 'name'],
  description: ['description'],
  brand: ['brand'],
  categories: ['categories', 'category'],
  price: ['price'],
  currency: ['currency'],
  images: ['images', 'image'],
  popularity: ['popularity'],
} as const;
type FlatField = keyof typeof flatFields;
const knownNames: ReadonlySet<string> = new Set(Object.values(flatFields).flat());

export function mapProduct(value: unknown, options: { currency: string }): MappedRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'refused', problems: [{ field: '', reason: 'a product must be a JSON object' }] };
  }
  const record = new Map<string, unknown>(Object.entries(value));
  return record.has('variants')
    ? checked(value, { adjusted: [], ignoredFields: [] })
    : mapFlat(record, options.currency);
}

function mapFlat(record: ReadonlyMap<string, unknown>, currencyDefault: string): MappedRecord {
  const problems: Problem[] = [];
  const adjusted: Problem[] = [];
  /** The value of a field, whichever of its names is used; absent, null and the empty text are the same. */
  const given = (field: FlatField): unknown =>
    flatFields[field]
      .map(name => record.get(name))
      .find(value => value !== undefined && value !== null && value !== '');

  const text = (field: FlatField): string | undefined => {
    const value = given(field);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' && typeof value !== 'number') {
      problems.push({ field, reason: 'must be a text' });
      return undefined;
    }
    const clean = cleanText(String(value));
    if (clean !== String(value).trim()) adjusted.push({ field, reason: 'control characters were replaced' });
    return clean || undefined;
  };

  const currency = (text('currency') ?? currencyDefault).toUpperCase();
  const title = text('title');
  if (title === undefined) problems.push({ field: 'name', reason: 'is missing' });
  const amount = amountOf(given('price'), currency);
  if (typeof amount === 'string') problems.push({ field: 'price', reason: amount });
  const brand = text('brand');
  const description = text('description');
  const list = (field: FlatField): string[] => {
    const texts = listOf(given(field));
    if (texts === null) problems.push({ field, reason: 'must be a list of texts' });
    return [...new Set(texts)];
  };
  const images = list('images');
  const categories = list('categories');
  const id = text('id');
  const sku = text('sku');
  const popularity = given('popularity');
  if (problems.length > 0 || title === undefined || typeof amount === 'string')
    return { kind: 'refused', problems };

  const productId =
    id ??
    madeId(title, [sku ?? '', sku === undefined ? identityOf({ title, brand, description, images }) : '']);
  return checked(
    {
      productId,
      title,
      ...(description === undefined ? {} : { description }),
      ...(brand === undefined ? {} : { brand }),
      categories,
      images,
      ...(popularity === undefined ? {} : { popularity: Math.round(Number(popularity)) }),
      variants: [{ sku: sku ?? productId, price: { amount, currency } }],
    },
    { adjusted, ignoredFields: [...record.keys()].filter(name => !knownNames.has(name)) },
  );
}

function checked(value: unknown, notes: { adjusted: Problem[]; ignoredFields: string[] }): MappedRecord {
  const parsed = productInputSchema.safeParse(value);
  if (parsed.success) return { kind: 'product', product: parsed.data, ...notes };
  return { kind: 'refused', problems: parsed.error.issues.map(problemOf) };
}

function problemOf(issue: z.core.$ZodIssue): Problem {
  if (issue.code === 'unrecognized_keys') {
    return { field: [...issue.path, issue.keys[0] ?? ''].join('.'), reason: 'is no field of a product' };
  }
  return { field: issue.path.map(String).join('.'), reason: issue.message };
}

/** Minor units, or what is wrong. A number is read by its shortest decimal text, which is what the file said. */
function amountOf(price: unknown, currency: string): number | string {
  if (price === undefined) return 'is missing';
  if (typeof price !== 'number' && typeof price !== 'string') return 'must be a number in major units';
  const text = String(price).trim();
  const amount = minorFromDecimal(text, currency);
  if (amount !== null) return amount;
  if (text.startsWith('-')) return `must not be negative: ${text}`;
  if (/^\d+\.\d+$/.test(text)) return `has more decimals than ${currency} has: ${text}`;
  return `is not a plain decimal number: ${text.slice(0, 40)}`;
}

/** A list of texts, or a text that lists with `|` as spreadsheets do; null for anything else. */
function listOf(value: unknown): string[] | null {
  if (value === undefined) return [];
  const parts: unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split('|')
      : [value];
  const texts = parts.filter(part => typeof part === 'string');
  return texts.length === parts.length ? texts.map(cleanText).filter(Boolean) : null;
}

const windows1252 = new TextDecoder('windows-1252');

/**
 * Control characters U+0080 to U+009F in a text are nearly always bytes of Windows-1252 that somebody took for
 * Latin-1: U+0099 was the trade mark sign. They become what they were; other controls become spaces.
 */
function cleanText(text: string): string {
  return text
    .replace(/[\u0080-\u009f]/g, character => windows1252.decode(Uint8Array.of(character.charCodeAt(0))))
    .replace(/\r\n?/g, '\n')
    .replace(/(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, ' ')
    .normalize()
    .trim();
}

/** The image tells apart products that share name and brand; where there is none, the description does. */
function identityOf(product: {
  title: string;
  brand: string | undefined;
  description: string | undefined;
  images: readonly string[];
}): string {
  return JSON.stringify([product.title, product.brand ?? '', product.images[0] ?? product.description ?? '']);
}

function madeId(title: string, identity: readonly string[]): string {
  const slug = slugOf(title, 44);
  const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  return slug === '' ? hash : `${slug}-${hash}`;
}
