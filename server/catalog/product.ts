// What a product is: the schemas at the border, and the types that follow from them. A product has variants, each
// with its SKU and price; a SKU belongs to one product of the whole catalog. The `price` of every variant is in one
// currency, so that the product can be sorted and filtered by it; `prices` add the same list of further currencies to
// each variant, so that a cart in one of them never meets a variant without a price. `tiers` say what each piece costs
// from so many pieces on, in any of these currencies.
import { z } from 'zod';
import { productIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { moneyOutputSchema, moneySchema } from '../money.ts';
import { taxClasses } from '../pricing/tax-rates.rules.ts';
import { tiersProblem } from '../pricing/unit-price.rules.ts';
import { isGtin } from './barcode.rules.ts';
import { optionsKey, priceIn, tiersIn } from './catalog.rules.ts';

/** Controls, and what breaks lines or reverses the direction of the text after it on a page. */
const control = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const controlButLines = /(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

const line = (maxChars: number) =>
  z
    .string()
    .trim()
    .normalize()
    .min(1, 'must not be empty')
    .max(maxChars)
    .refine(text => !control.test(text), 'must not contain control characters');

/**
 * What search filters by. Values stand between backticks there, and are compared by their letters and digits, so a
 * name has no backtick and at least one of these.
 */
const filterable = (maxChars: number) =>
  line(maxChars)
    .refine(text => !text.includes('`'), 'must not contain a backtick')
    .refine(text => /[\p{L}\p{N}]/u.test(text), 'must contain a letter or a digit');

export const brandSchema = filterable(80);
export const categorySchema = filterable(60);

/** Pages show images by their address: what is not a web address, or a path of this site, is refused. */
const imageSchema = z
  .string()
  .max(500)
  .refine(text => {
    if (/^\/[^/\\]/.test(text)) return true;
    return URL.canParse(text) && ['https:', 'http:'].includes(new URL(text).protocol);
  }, 'must be an https address or a path beginning with /');

/** `colour: "teal"`, `sizeMm: 40`. Names are keys of documents and of pages, so they are kept plain. */
const attributesSchema = z
  .record(
    z
      .string()
      .regex(/^[a-z][A-Za-z0-9-]{0,39}$/, 'an attribute name: letters, digits and hyphens')
      .refine(name => !(name in Object.prototype), 'this name is taken by the language'),
    z.union([line(200), z.number(), z.boolean()]),
  )
  .refine(attributes => Object.keys(attributes).length <= 30, 'at most 30 attributes');

/** `{ Size: 'M', Colour: 'Teal' }`: what a buyer chooses a variant by. Names are keys of documents, as above. */
const optionsSchema = z
  .record(
    z
      .string()
      .regex(/^[\p{L}\p{N}][\p{L}\p{N} _-]{0,39}$/u, 'an option name: letters, digits, spaces and hyphens')
      .refine(name => !(name in Object.prototype), 'this name is taken by the language'),
    line(80),
  )
  .refine(options => Object.keys(options).length <= 5, 'at most 5 options');

/** As it is printed under the bars: GTIN-8, -12 (UPC), -13 (EAN) or -14. */
export const barcodeSchema = z
  .string()
  .trim()
  .refine(isGtin, 'must be a GTIN of 8, 12, 13 or 14 digits whose last digit checks');

/** What names a product in the address of its page. */
export const slugSchema = z
  .string()
  .max(80)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'a slug: lower-case letters and digits, divided by single hyphens');

/** Only an active product is shown to the public, found and sold; a draft is not yet, an archived one no longer. */
export const productStatusSchema = z.enum(['draft', 'active', 'archived']);
export type ProductStatus = z.infer<typeof productStatusSchema>;

/** Which of a country's tax rates applies; what they are by destination stands with the prices. */
export const taxClassSchema = z.enum(taxClasses);
export type { TaxClass } from '../pricing/tax-rates.rules.ts';

/** From so many pieces of the SKU on, each costs so much. */
export const tierSchema = z.strictObject({
  from: z.int().min(2).max(limits.lineQuantityCount),
  price: moneySchema,
});

export const variantInputSchema = z
  .strictObject({
    sku: skuSchema,
    title: line(120).optional(),
    barcode: barcodeSchema.optional(),
    options: optionsSchema.optional(),
    price: moneySchema,
    /** In further currencies, each once. */
    prices: z.array(moneySchema).max(30).optional(),
    tiers: z.array(tierSchema).max(limits.variantTiersCount).optional(),
    attributes: attributesSchema.optional(),
  })
  .refine(
    ({ price, prices = [] }) =>
      new Set([price, ...prices].map(({ currency }) => currency)).size === prices.length + 1,
    { path: ['prices'], message: 'a currency stands there twice' },
  )
  .superRefine((variant, context) => {
    for (const currency of new Set(variant.tiers?.map(({ price }) => price.currency))) {
      const base = priceIn(variant, currency);
      const problem = base
        ? tiersProblem(tiersIn(variant, currency), base.amount)
        : 'a tier needs a price of the variant in its currency';
      if (problem) context.addIssue({ code: 'custom', path: ['tiers'], message: `${currency}: ${problem}` });
    }
  });
type VariantInput = z.infer<typeof variantInputSchema>;

/** The currencies that a variant has a price in, as one text. */
const currenciesOf = ({ prices = [] }: VariantInput) =>
  prices
    .map(({ currency }) => currency)
    .toSorted()
    .join();

export const productInputSchema = z.strictObject({
  productId: productIdSchema,
  title: line(200),
  /** Made from the title where it is left out, and kept from then on. */
  slug: slugSchema.optional(),
  status: productStatusSchema.optional(),
  taxClass: taxClassSchema.optional(),
  description: z
    .string()
    .trim()
    .normalize()
    .max(8_000)
    .refine(text => !controlButLines.test(text), 'must not contain control characters')
    .optional(),
  brand: brandSchema.optional(),
  categories: z
    .array(categorySchema)
    .max(20)
    .refine(names => new Set(names).size === names.length, 'a category stands there twice')
    .optional(),
  images: z.array(imageSchema).max(20).optional(),
  /** How much it is asked for, on any scale that the whole catalog shares; search sorts by it. */
  popularity: z.int().min(0).max(1_000_000_000).optional(),
  variants: z
    .array(variantInputSchema)
    .min(1)
    .max(100)
    .refine(
      variants => new Set(variants.map(each => each.sku)).size === variants.length,
      'a SKU stands there twice',
    )
    .refine(
      variants => new Set(variants.map(each => each.price.currency)).size <= 1,
      'all prices of a product must be in one currency',
    )
    .refine(
      variants => new Set(variants.map(currenciesOf)).size <= 1,
      'all variants must have prices in the same currencies',
    )
    .refine(
      variants =>
        new Set(variants.map(({ options = {} }) => Object.keys(options).toSorted().join())).size <= 1,
      'all variants must name the same options',
    )
    .refine(
      variants =>
        !variants[0]?.options ||
        new Set(variants.map(({ options = {} }) => optionsKey(options))).size === variants.length,
      'two variants have the same options',
    )
    .refine(variants => {
      const barcodes = variants.flatMap(({ barcode }) => barcode ?? []);
      return new Set(barcodes).size === barcodes.length;
    }, 'a barcode stands there twice'),
});
export type ProductInput = z.infer<typeof productInputSchema>;

export const productSchema = z.object({
  productId: productIdSchema,
  title: z.string(),
  slug: z.string(),
  status: productStatusSchema,
  taxClass: taxClassSchema,
  description: z.string().optional(),
  brand: z.string().optional(),
  categories: z.array(z.string()),
  images: z.array(z.string()),
  popularity: z.int(),
  variants: z.array(
    z.object({
      sku: skuSchema,
      title: z.string().optional(),
      barcode: z.string().optional(),
      options: z.record(z.string(), z.string()).optional(),
      price: moneyOutputSchema,
      prices: z.array(moneyOutputSchema).optional(),
      tiers: z.array(z.object({ from: z.int(), price: moneyOutputSchema })).optional(),
      attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    }),
  ),
  /** Counts the product's changes from 1. */
  rev: z.int(),
  createdAtMs: z.int(),
  updatedAtMs: z.int(),
});
export type Product = z.infer<typeof productSchema>;
export type Variant = Product['variants'][number];
