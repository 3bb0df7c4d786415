// Where the key of whoever signed in is kept: in this tab's own storage, which ends with the tab. Never in an address,
// never in a log. Where storage is switched off, a reload asks for it again.
const name = 'doorbuster.staff';

export function keptKey(): string | null {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

export function keepKey(key: string | null): void {
  try {
    if (key === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, key);
  } catch {
    // Switched off: the key lives as long as the page.
  }
}
