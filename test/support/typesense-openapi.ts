/**
 * Holds an answer against Typesense's own description of its API: required properties are there, and what is there is
 * of the type described. Properties that the description does not know are let pass, as the real server has some.
 *
 * The description is YAML; no YAML library is among the dependencies, so the part of the language that this file uses
 * is read here: block mappings and sequences, plain, quoted and block scalars.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const file = path.resolve(import.meta.dirname, '../../../shared/data/typesense-openapi.yml');
export const hasOpenapi = existsSync(file);

type Yaml = string | Yaml[] | { [key: string]: Yaml };
type Mapping = { [key: string]: Yaml };
type Line = { indent: number; text: string };

/** What is wrong with the value, as `path: reason`; empty where it fits. */
export function schemaFaults(schemaName: string, value: unknown): string[] {
  return faultsOf({ $ref: `#/components/schemas/${schemaName}` }, value, schemaName);
}

/** The same for an answer of an endpoint, by its path as the description writes it. */
export function answerFaults(
  { path: endpoint, method, status }: { path: string; method: string; status: number },
  value: unknown,
): string[] {
  const steps = [
    'paths',
    endpoint,
    method,
    'responses',
    String(status),
    'content',
    'application/json',
    'schema',
  ];
  let node: Yaml | undefined = openapi();
  for (const step of steps) {
    node = isMapping(node) ? node[step] : undefined;
    if (node === undefined) return [`${method} ${endpoint}: the description has no ${step}`];
  }
  return faultsOf(node, value, `${method} ${endpoint}`);
}

function faultsOf(schema: Yaml | undefined, value: unknown, at: string): string[] {
  if (!isMapping(schema)) return [];
  if (typeof schema['$ref'] === 'string') return faultsOf(referenced(schema['$ref']), value, at);
  // The description's way of saying "anything"; its type is then beside the point.
  if (schema['x-go-type'] === 'interface{}') return [];
  const faults: string[] = [];
  if (Array.isArray(schema['allOf'])) {
    for (const part of schema['allOf']) faults.push(...faultsOf(part, value, at));
  }
  if (typeof schema['type'] === 'string' && !isOfType(schema['type'], value)) {
    return [...faults, `${at}: ${JSON.stringify(value)?.slice(0, 60)} is not of type ${schema['type']}`];
  }
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(String(value))) {
    faults.push(`${at}: ${String(value)} is not one of ${JSON.stringify(schema['enum'])}`);
  }
  if (Array.isArray(value)) {
    value.forEach((element, place) => faults.push(...faultsOf(schema['items'], element, `${at}[${place}]`)));
  } else if (isRecord(value)) {
    const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
    for (const name of required) if (!(name in value)) faults.push(`${at}: ${name} is missing`);
    for (const [name, property] of Object.entries(
      isMapping(schema['properties']) ? schema['properties'] : {},
    )) {
      if (name in value) faults.push(...faultsOf(property, value[name], `${at}.${name}`));
    }
  }
  return faults;
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'object':
      // Typesense describes a highlight's inner object so, and gives a list for an array field.
      return typeof value === 'object' && value !== null;
    default:
      throw new Error(`the description uses a type that this check does not know: ${type}`);
  }
}

function referenced(reference: string): Yaml {
  let node: Yaml = openapi();
  for (const step of reference.replace('#/', '').split('/')) {
    const next: Yaml | undefined = isMapping(node) ? node[step] : undefined;
    if (next === undefined) throw new Error(`the description has no ${reference}`);
    node = next;
  }
  return node;
}

let parsed: Mapping | undefined;
function openapi(): Mapping {
  parsed ??= parseYaml(readFileSync(file, 'utf8'));
  return parsed;
}

export function parseYaml(text: string): Mapping {
  const lines = text
    .split('\n')
    .map(line => ({ indent: line.length - line.trimStart().length, text: line.trim() }))
    .filter(line => line.text !== '' && !line.text.startsWith('#') && line.text !== '---');
  const value = new YamlReader(lines).block(0);
  if (!isMapping(value)) throw new Error('the description is not a mapping');
  return value;
}

class YamlReader {
  readonly #lines: Line[];
  #position = 0;

  constructor(lines: Line[]) {
    this.#lines = lines;
  }

  /** Everything from here on that is indented by at least so much. */
  block(indent: number): Yaml {
    const first = this.#lines[this.#position];
    if (first === undefined || first.indent < indent) return '';
    if (first.text === '-' || first.text.startsWith('- ')) return this.#sequence(first.indent);
    if (keyOf(first.text) !== undefined) return this.#mapping(first.indent);
    return this.#folded(indent);
  }

  #sequence(indent: number): Yaml[] {
    const items: Yaml[] = [];
    for (;;) {
      const line = this.#lines[this.#position];
      if (line === undefined || line.indent !== indent || !/^-( |$)/.test(line.text)) return items;
      const rest = line.text.slice(1).trim();
      if (rest === '') {
        this.#position++;
        items.push(this.block(indent + 1));
      } else if (keyOf(rest) === undefined) {
        this.#position++;
        items.push(scalar(rest));
      } else {
        // A mapping that begins on the dash's line goes on two columns further in.
        this.#lines[this.#position] = { indent: indent + 2, text: rest };
        items.push(this.block(indent + 2));
      }
    }
  }

  #mapping(indent: number): Mapping {
    const entries: [string, Yaml][] = [];
    for (;;) {
      const line = this.#lines[this.#position];
      const entry = line?.indent === indent ? keyOf(line.text) : undefined;
      if (entry === undefined) return Object.fromEntries(entries);
      this.#position++;
      entries.push([entry.key, this.#valueAfter(entry.rest, indent)]);
    }
  }

  #valueAfter(rest: string, indent: number): Yaml {
    if (/^[>|][+-]?$/.test(rest)) return this.#folded(indent + 1);
    if (rest !== '') {
      const more = this.#folded(indent + 1);
      return scalar(more === '' ? rest : `${rest} ${more}`);
    }
    // A sequence may stand no further in than its key.
    const next = this.#lines[this.#position];
    return this.block(next?.indent === indent && /^-( |$)/.test(next.text) ? indent : indent + 1);
  }

  #folded(indent: number): string {
    const texts: string[] = [];
    for (;;) {
      const line = this.#lines[this.#position];
      if (line === undefined || line.indent < indent) return texts.join(' ');
      texts.push(line.text);
      this.#position++;
    }
  }
}

function keyOf(text: string): { key: string; rest: string } | undefined {
  const parts = /^("[^"]*"|'[^']*'|[^\s:"'[\]{},][^:"']*):(?:\s+(.*))?$/.exec(text);
  const key = parts?.[1];
  if (key === undefined) return undefined;
  const rest = parts?.[2] ?? '';
  return { key: unquoted(key), rest: rest.startsWith('#') ? '' : rest };
}

function scalar(text: string): Yaml {
  if (text === '{}') return {};
  if (text.startsWith('[') && text.endsWith(']')) {
    return text
      .slice(1, -1)
      .split(',')
      .map(part => unquoted(part.trim()))
      .filter(part => part !== '');
  }
  return unquoted(text.startsWith('"') || text.startsWith("'") ? text : text.replace(/\s+#.*$/, ''));
}

const unquoted = (text: string): string => /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;
const isMapping = (value: Yaml | undefined): value is Mapping =>
  typeof value === 'object' && !Array.isArray(value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
