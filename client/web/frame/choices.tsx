import { useState } from 'react';
import { currentLanguage, languages, type Language } from '../texts/language.ts';
import { chooseTheme, chosenTheme, themes, type Theme } from '../theme/theme.ts';

/** Where no visible label says what it is, `label` does. */
export function LanguageChoice(props: {
  label?: string;
  /** Rejects where the language's texts could not be loaded: then the page stays in the one that it is in. */
  onLanguage: (language: Language) => Promise<void>;
}) {
  const { label, onLanguage } = props;
  return (
    <select
      aria-label={label}
      value={currentLanguage()}
      onChange={event => {
        const chosen = languages.find(({ code }) => code === event.target.value);
        if (chosen) onLanguage(chosen.code).catch(() => undefined);
      }}
    >
      {languages.map(({ code, name }) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Light, dark, or as the system has it; `names` in the reader's language. */
export function ThemeChoice({ label, names }: { label?: string; names: Record<Theme, string> }) {
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  return (
    <select
      aria-label={label}
      value={theme}
      onChange={event => {
        const chosen = themes.find(name => name === event.target.value) ?? 'system';
        chooseTheme(chosen);
        setTheme(chosen);
      }}
    >
      {themes.map(name => (
        <option key={name} value={name}>
          {names[name]}
        </option>
      ))}
    </select>
  );
}
