import type { Language } from '../texts/language.ts';
import { texts } from '../texts/texts.ts';
import { LanguageChoice, ThemeChoice } from './choices.tsx';

/** What the visitor may set for themselves: the language, and light or dark. */
export function PageFooter({ onLanguage }: { onLanguage: (language: Language) => Promise<void> }) {
  return (
    <footer className="page-footer">
      <p>{texts.frame.footer}</p>
      <div className="page-choices">
        <label>
          <span>{texts.frame.language}</span>
          <LanguageChoice onLanguage={onLanguage} />
        </label>
        <label>
          <span>{texts.frame.theme}</span>
          <ThemeChoice names={texts.frame.themes} />
        </label>
      </div>
    </footer>
  );
}
