/** What stands in a form's field, without the spaces around it; empty where there is no such field, or a file. */
export function formText(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
