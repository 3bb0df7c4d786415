// A record of a file as a product of the catalog. Two shapes are understood: our own (with `variants`), and the flat one
// of shop exports: name, description, brand, categories, price in major units, image, popularity, and what else a
// product has; in a table, one row for each variant. A flat record gets an id made of what makes it that product (its
// own id or SKU; else name, brand and image), so that a second import of the same file changes nothing, and two
// products that share a name stay two.
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
  slug: ['slug'],
  status: ['status'],
  taxClass: ['taxClass'],
  description: ['description'],
  brand: ['brand'],
  categories: ['categories', 'category'],
  price: ['price'],
  currency: ['currency'],
  prices: ['prices'],
  tiers: ['tiers'],
  images: ['images', 'image'],
  popularity: ['popularity'],
  variantTitle: ['variantTitle'],
  barcode: ['barcode'],
  options: ['options'],
  attributes: ['attributes'],
} as const;
type FlatField = keyof typeof flatFields;
const knownNames: ReadonlySet<string> = new Set(Object.values(flatFields).flat());

type FlatRecord = ReadonlyMap<string, unknown>;

export function mapProduct(
  value: unknown,
  options: { currency: string; moreVariants?: readonly unknown[] | undefined },
): MappedRecord {
  const record = recordOf(value);
  if (!record)
    return { kind: 'refused', problems: [{ field: '', reason: 'a product must be a JSON object' }] };
  if (record.has('variants')) return checked(value, { adjusted: [], ignoredFields: [] });
  const rows = (options.moreVariants ?? []).flatMap(row => recordOf(row) ?? []);
  return mapFlat(record, [record, ...rows], options.currency);
}

function recordOf(value: unknown): FlatRecord | null {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? new Map<string, unknown>(Object.entries(value)) : null;
}

/** Reads the fields of one record, and notes what is wrong with them. */
function createFieldReader(record: FlatRecord, notes: { problems: Problem[]; adjusted: Problem[] }) {
  const { problems, adjusted } = notes;
  /** The value of a field, whichever of its names is used; absent, null and the empty text are the same. */
  const given = (field: FlatField): unknown =>
    flatFields[field]
      .map(name => record.get(name))
      .find(value => value !== undefined && value !== null && value !== '');
  return {
    given,
    text(field: FlatField): string | undefined {
      const value = given(field);
      if (value === undefined) return undefined;
      if (typeof value !== 'string' && typeof value !== 'number') {
        problems.push({ field, reason: 'must be a text' });
        return undefined;
      }
      const clean = cleanText(String(value));
      if (clean !== String(value).trim())
        adjusted.push({ field, reason: 'control characters were replaced' });
      return clean || undefined;
    },
    list(field: FlatField): string[] {
      const texts = listOf(given(field));
      if (texts === null) problems.push({ field, reason: 'must be a list of texts' });
      return [...new Set(texts)];
    },
    /** An object, or its JSON in a cell of a table; what is in it is checked as a part of the product. */
    object(field: FlatField): unknown {
      const value = given(field);
      if (typeof value !== 'string') return value;
      try {
        const parsed: unknown = JSON.parse(value);
        return parsed;
      } catch {
        problems.push({ field, reason: 'must be a JSON object' });
        return undefined;
      }
    },
  };
}
type FieldReader = ReturnType<typeof createFieldReader>;

function mapFlat(record: FlatRecord, rows: readonly FlatRecord[], currencyDefault: string): MappedRecord {
  const problems: Problem[] = [];
  const adjusted: Problem[] = [];
  const read = createFieldReader(record, { problems, adjusted });
  const title = read.text('title');
  if (title === undefined) problems.push({ field: 'name', reason: 'is missing' });
  const brand = read.text('brand');
  const description = read.text('description');
  const images = read.list('images');
  const id = read.text('id');
  const sku = read.text('sku');
  const popularity = read.given('popularity');
  const product = {
    title,
    slug: read.text('slug'),
    status: read.text('status'),
    taxClass: read.text('taxClass'),
    description,
    brand,
    categories: read.list('categories'),
    images,
    popularity: popularity === undefined ? undefined : Math.round(Number(popularity)),
  };
  const variants = rows.map(row =>
    variantOf(createFieldReader(row, { problems, adjusted }), { currencyDefault, problems }),
  );
  if (problems.length > 0 || title === undefined) return { kind: 'refused', problems };

  const productId =
    id ??
    madeId(title, [sku ?? '', sku === undefined ? identityOf({ title, brand, description, images }) : '']);
  return checked(
    withoutAbsent({
      ...product,
      productId,
      variants: variants.map(({ sku: own, ...variant }) =>
        withoutAbsent({ sku: own ?? productId, ...variant }),
      ),
    }),
    { adjusted, ignoredFields: [...record.keys()].filter(name => !knownNames.has(name)) },
  );
}

function variantOf(read: FieldReader, options: { currencyDefault: string; problems: Problem[] }) {
  const { currencyDefault, problems } = options;
  const currency = (read.text('currency') ?? currencyDefault).toUpperCase();
  const money = (field: FlatField, price: unknown, code: string) => {
    const amount = amountOf(price, code);
    if (typeof amount === 'string') problems.push({ field, reason: amount });
    return { amount, currency: code };
  };
  // As `EUR 19.99`, each.
  const prices = read.list('prices').map(text => {
    const [, code = '', amount = ''] = /^([A-Za-z]{3}) (\S+)$/.exec(text) ?? [];
    return money('prices', amount || text, code.toUpperCase());
  });
  // As `EUR 10 17.99`: from ten pieces on.
  const tiers = read.list('tiers').map(text => {
    const [, code = '', from = '', amount = ''] = /^([A-Za-z]{3}) (\d{1,6}) (\S+)$/.exec(text) ?? [];
    return { from: Number(from), price: money('tiers', amount || text, code.toUpperCase()) };
  });
  return {
    sku: read.text('sku'),
    title: read.text('variantTitle'),
    barcode: read.text('barcode'),
    options: read.object('options'),
    price: money('price', read.given('price'), currency),
    prices: prices.length > 0 ? prices : undefined,
    tiers: tiers.length > 0 ? tiers : undefined,
    attributes: read.object('attributes'),
  };
}

function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
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

/**
 * A list of texts, or a text that lists with `|` as spreadsheets do; null for anything else. A bar that belongs to a
 * text stands there as `\|`, a backslash as `\\`.
 */
function listOf(value: unknown): string[] | null {
  if (value === undefined) return [];
  const parts: unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? (value.match(/(?:\\[\\|]|[^|])+/g) ?? []).map(part => part.replace(/\\([\\|])/g, '$1'))
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
    .replace(/(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, ' ')
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
