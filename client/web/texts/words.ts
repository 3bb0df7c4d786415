// Numbers in a sentence, by the rules of its language.
export interface Words {
  readonly count: (number: number) => string;
  /** `1 buyer`, `2,000 buyers`. */
  readonly counted: (number: number, one: string, other: string) => string;
}

export function wordsOf(language: string): Words {
  const plural = new Intl.PluralRules(language);
  const format = new Intl.NumberFormat(language);
  return {
    count: number => format.format(number),
    counted: (number, one, other) =>
      `${format.format(number)} ${plural.select(number) === 'one' ? one : other}`,
  };
}
