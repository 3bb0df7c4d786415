// Before anything is painted: a theme that the visitor chose (theme/theme.ts keeps it), so that nothing flashes.
try {
  const theme = localStorage.getItem('doorbuster.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
} catch {
  // Storage is switched off: the system's theme it is.
}
