/** What stands in a form's field, without the spaces around it; empty where there is no such field, or a file. */
export function formText(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

/** All of a form's fields by their names, as they stand there; a file counts as empty. */
export function formTexts(form: FormData): Record<string, string> {
  return Object.fromEntries([...form].map(([name, value]) => [name, typeof value === 'string' ? value : '']));
}
