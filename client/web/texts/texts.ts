// The texts in use. They are loaded before anything is drawn, and again when the visitor chooses another language;
// whoever draws reads `texts` while drawing, so that drawing the page anew is all that a change of language takes.
import type { en } from './en.ts';
import type { Language } from './language.ts';

/** Every language has each of these; a missing or a superfluous one does not compile. */
export type Texts = typeof en;

const files: Record<Language, () => Promise<Texts>> = {
  en: async () => (await import('./en.ts')).en,
  de: async () => (await import('./de.ts')).de,
};

export let texts: Texts;

export async function loadTexts(language: Language): Promise<void> {
  texts = await files[language]();
  document.documentElement.lang = language;
}
