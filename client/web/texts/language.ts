// Which language the pages speak: the visitor's choice, else the first of the browser's that there is, else English.
// Another language is another file beside en.ts of the same shape, and a line here and in texts.ts.
const key = 'doorbuster.language';

export const languages = [
  { code: 'en', name: 'English' },
  { code: 'de', name: 'Deutsch' },
] as const;
export type Language = (typeof languages)[number]['code'];

function languageOf(tag: string | null): Language | null {
  const short = tag?.toLowerCase().split('-')[0];
  return languages.find(({ code }) => code === short)?.code ?? null;
}

const browserTags: readonly string[] = typeof navigator === 'undefined' ? [] : navigator.languages;

function preferred(): Language {
  for (const tag of [kept(), ...browserTags]) {
    const language = languageOf(tag);
    if (language) return language;
  }
  return 'en';
}

function kept(): string | null {
  try {
    return typeof localStorage === 'undefined' ? null : localStorage.getItem(key);
  } catch {
    return null;
  }
}

let current: Language = preferred();

export function currentLanguage(): Language {
  return current;
}

/**
 * How numbers, prices and times are written: the browser's own variety of the language (`en-GB`), or the language as
 * such where the visitor chose one that the browser does not name.
 */
export function currentLocale(): string {
  return browserTags.find(tag => languageOf(tag) === current) ?? current;
}

export function chooseLanguage(language: Language): void {
  current = language;
  try {
    localStorage.setItem(key, language);
  } catch {
    // Switched off: the choice lasts as long as the page.
  }
}
