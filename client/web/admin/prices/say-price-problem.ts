import { words } from '../texts/texts.ts';
import type { PriceProblem } from './price-forms.rules.ts';

/** What is wrong, in words. */
export function sayPriceProblem(problem: PriceProblem | undefined): string | undefined {
  if (!problem) return undefined;
  const say = words.prices.problems;
  switch (problem.kind) {
    case 'required':
      return words.form.problems.required;
    case 'currency':
      return words.form.problems.currency;
    case 'line':
    case 'lineTwice':
      return say[problem.kind](problem.line);
    default:
      return say[problem.kind];
  }
}
