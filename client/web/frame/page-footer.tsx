import { useState } from 'react';
import { currentLanguage, languages, type Language } from '../texts/language.ts';
import { texts } from '../texts/texts.ts';
import { chooseTheme, chosenTheme, themes, type Theme } from '../theme/theme.ts';

/** What the visitor may set for themselves: the language, and light or dark. */
export function PageFooter({ onLanguage }: { onLanguage: (language: Language) => void }) {
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const language = currentLanguage();
  return (
    <footer className="page-footer">
      <p>{texts.frame.footer}</p>
      <div className="page-choices">
        <label>
          <span>{texts.frame.language}</span>
          <select
            value={language}
            onChange={event => {
              const chosen = languages.find(({ code }) => code === event.target.value);
              if (chosen) onLanguage(chosen.code);
            }}
          >
            {languages.map(({ code, name }) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{texts.frame.theme}</span>
          <select
            value={theme}
            onChange={event => {
              const chosen = themes.find(name => name === event.target.value) ?? 'system';
              chooseTheme(chosen);
              setTheme(chosen);
            }}
          >
            {themes.map(name => (
              <option key={name} value={name}>
                {texts.frame.themes[name]}
              </option>
            ))}
          </select>
        </label>
      </div>
    </footer>
  );
}
