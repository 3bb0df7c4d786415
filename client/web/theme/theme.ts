// Light or dark: as the system says, or as the visitor chose. A choice stands on <html> as `data-theme`; public/theme.js
// puts a kept one there before anything is painted.
const key = 'doorbuster.theme';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

export function chosenTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function chooseTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    if (theme === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, theme);
  } catch {
    // Switched off: the choice lasts as long as the page.
  }
}

/** Whether the page is dark now, for what cannot be told by a style: another origin's form, for one. */
export function isDark(): boolean {
  const theme = chosenTheme();
  return theme === 'system' ? window.matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
}
