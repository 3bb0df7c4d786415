import { currentLocale } from '../texts/language.ts';

/** A formatter of `Intl` for the locale in use: made once, and again when the visitor chooses another language. */
export function byLocale<T>(make: (locale: string) => T): () => T {
  let made: { locale: string; value: T } | null = null;
  return () => {
    const locale = currentLocale();
    if (made?.locale !== locale) made = { locale, value: make(locale) };
    return made.value;
  };
}
