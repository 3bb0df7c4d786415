// The control room's texts, by the same choice of language as the shop's (../../texts/language.ts): loaded before anything
// is drawn, read while drawing.
import type { Language } from '../../texts/language.ts';
import type { en } from './en.ts';

/** Every language has each of these; a missing or a superfluous one does not compile. */
export type AdminTexts = typeof en;

const files: Record<Language, () => Promise<AdminTexts>> = {
  en: async () => (await import('./en.ts')).en,
  de: async () => (await import('./de.ts')).de,
};

export let words: AdminTexts;

export async function loadAdminTexts(language: Language): Promise<void> {
  words = await files[language]();
  document.documentElement.lang = language;
}
