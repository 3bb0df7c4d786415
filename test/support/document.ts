// Reads what our documents say: sections, rows of tables, code spans, and shapes like `{ dropId, items: [{ sku }] }`.

export interface Field {
  readonly name: string;
  readonly optional: boolean;
  /** Of the object, or of the objects in the list, where one is shown. */
  readonly fields: readonly Field[];
}

/** The text under a heading, to the next heading of that level or a higher one. */
export function section(document: string, heading: string): string {
  const [, after] = `\n${document}`.split(`\n${heading}\n`);
  if (after === undefined) throw new Error(`the document has no section ${heading}`);
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  return after.split(new RegExp(`\n#{1,${level}} `))[0] ?? '';
}

/** The rows of all tables, without the lines that divide head from body. */
export function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| ---'))
    .map(line =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map(cell => cell.trim()),
    );
}

export function unescapeCell(cell: string): string {
  return cell.replaceAll(String.raw`\|`, '|');
}

export function codeSpans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
}

/** The fields of a shape; anything that is none has no fields. Throws where a bracket is left open. */
export function readFields(shape: string): Field[] {
  const tokens = shape.match(/[A-Za-z][A-Za-z0-9]*|[{}[\]?:,]|\S/g) ?? [];
  let at = 0;
  const object = (): Field[] => {
    const fields: Field[] = [];
    at += 1;
    while (tokens[at] !== '}') {
      const name = tokens[at];
      if (name === undefined) throw new Error(`a bracket is left open in ${shape}`);
      at += 1;
      if (name === ',') continue;
      const optional = tokens[at] === '?';
      if (optional) at += 1;
      fields.push({ name, optional, fields: tokens[at] === ':' ? value() : [] });
    }
    at += 1;
    return fields;
  };
  const value = (): Field[] => {
    at += 1;
    while (tokens[at] === '[') at += 1;
    const fields = tokens[at] === '{' ? object() : [];
    while (tokens[at] === ']') at += 1;
    return fields;
  };
  return tokens[0] === '{' ? object() : [];
}
