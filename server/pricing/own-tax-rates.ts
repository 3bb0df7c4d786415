// The shop's own tax rates, as the setting TAX_RATES says them: JSON, by country or by a part of one.
import { z } from 'zod';
import { limits } from '../limits.ts';
import { type OwnTaxRates, taxClasses } from './tax-rates.rules.ts';

const percent = z
  .number()
  .min(0)
  .max(100)
  .refine(value => Math.abs(value * 1_000 - Math.round(value * 1_000)) < 1e-6, 'three decimals at most');

const ownTaxRatesSchema = z
  .record(
    z.string().regex(/^[A-Z]{2}(-[A-Z0-9]{1,10})?$/, 'a region as DE or CA-QC'),
    z
      .strictObject({
        standard: percent.optional(),
        reduced: percent.optional(),
        books: percent.optional(),
        food: percent.optional(),
        zero: z.literal(0).optional(),
        included: z.boolean().optional(),
      })
      .refine(rates => Object.keys(rates).length > 0, 'says nothing'),
  )
  .refine(
    regions => Object.keys(regions).length <= limits.ownTaxRegionsCount,
    `at most ${limits.ownTaxRegionsCount} regions`,
  );

export function readOwnTaxRates(
  text: string,
): { kind: 'rates'; rates: OwnTaxRates } | { kind: 'wrong'; because: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'wrong', because: 'must be JSON, as {"DE":{"reduced":7},"CA-QC":{"standard":14.975}}' };
  }
  const parsed = ownTaxRatesSchema.safeParse(value);
  if (parsed.success) return { kind: 'rates', rates: parsed.data };
  const [issue] = parsed.error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const unknown = issue.keys.join(', ');
    return {
      kind: 'wrong',
      because: `${path}: ${unknown} is no tax class; there are ${taxClasses.join(', ')}, and included`,
    };
  }
  return { kind: 'wrong', because: `${path === '' ? '' : `${path}: `}${issue?.message ?? 'is not usable'}` };
}
