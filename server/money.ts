// Money as the API carries it: a whole number of the currency's minor units, and the currency's ISO 4217 code.
import { z } from 'zod';
import { limits } from './limits.ts';
import { roundingStepOf } from './pricing/currencies.rules.ts';

export const currencySchema = z
  .string()
  .regex(/^[A-Za-z]{3}$/, 'an ISO 4217 currency code')
  .transform(code => code.toUpperCase());

export const amountSchema = z.int().min(0).max(limits.amountMinorMax);

/** What the shop asks. Cards are charged in steps of ten minor units in KWD and its like: no order at a price between two could be paid. */
export const moneySchema = z
  .strictObject({ amount: amountSchema, currency: currencySchema })
  .superRefine(({ amount, currency }, context) => {
    const step = roundingStepOf(currency);
    if (amount % step === 0) return;
    const message = `${currency} is charged in steps of ${step} minor units, and ${amount} is none of them`;
    context.addIssue({ code: 'custom', path: ['amount'], message });
  });
export type Money = z.infer<typeof moneySchema>;

/** What stands in an answer: the code is upper case already. */
export const moneyOutputSchema = z.object({ amount: z.int(), currency: z.string() });

export const countrySchema = z
  .string()
  .regex(/^[A-Za-z]{2}$/, 'an ISO 3166-1 alpha-2 country code')
  .transform(code => code.toUpperCase());
