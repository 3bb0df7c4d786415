// The documents say what the code does: the README's tables are held against the router, the settings and the
// commands themselves, the key map against the scripts, and the table of invariants against the tests that it names.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lobbyRanks } from '../../client/fairness/permutation.ts';
import { createApi, type ApiParts } from '../../server/api.ts';
import { environmentSchema } from '../../server/config.ts';
import { codeSpans, readFields, section, tableRows, unescapeCell, type Field } from '../support/document.ts';

const root = path.resolve(import.meta.dirname, '../..');
const textOf = (file: string) => readFileSync(path.join(root, file), 'utf8');
const readme = textOf('README.md');

// --- the router -------------------------------------------------------------------------------------------------

interface Procedure {
  readonly name: string;
  readonly type: string;
  readonly input: Field[];
  readonly output: Schema | null;
}

/** As much of JSON Schema as zod writes for our inputs and outputs. */
interface Schema {
  readonly properties?: Record<string, Schema> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: Schema | undefined;
  readonly anyOf?: readonly Schema[] | undefined;
  readonly oneOf?: readonly Schema[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
}
const schemaSchema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    properties: z.record(z.string(), schemaSchema).optional(),
    required: z.array(z.string()).optional(),
    // A tuple has its items elsewhere, and `false` here.
    items: z
      .literal(false)
      .transform(() => undefined)
      .or(schemaSchema)
      .optional(),
    anyOf: z.array(schemaSchema).optional(),
    oneOf: z.array(schemaSchema).optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
  }),
);

const zodType = z.custom<z.ZodType>(value => value instanceof z.ZodType);
const definitionSchema = z.object({
  type: z.enum(['query', 'mutation', 'subscription']),
  inputs: z.array(zodType),
  output: zodType.optional(),
});

function procedures(): Procedure[] {
  // The routers only keep their parts until a call comes; none comes here.
  const nothing: object = new Proxy({}, { get: () => nothing });
  const parts = z.custom<ApiParts>().parse(nothing);
  return Object.entries(createApi(parts)._def.procedures).flatMap(([name, procedure]) =>
    proceduresIn(name, procedure),
  );
}

/** tRPC keeps nested routers as records of records. */
function proceduresIn(name: string, node: unknown): Procedure[] {
  if (typeof node !== 'function') {
    const nested = z.record(z.string(), z.unknown()).parse(node);
    return Object.entries(nested).flatMap(([part, inner]) => proceduresIn(`${name}.${part}`, inner));
  }
  const { type, inputs, output } = definitionSchema.parse(Reflect.get(node, '_def'));
  const json = (schema: z.ZodType, io: 'input' | 'output') =>
    schemaSchema.parse(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  return [
    {
      name,
      type,
      input: inputs.flatMap(schema => fieldsOf(json(schema, 'input'))),
      output: output ? json(output, 'output') : null,
    },
  ];
}

function fieldsOf(schema: Schema): Field[] {
  return Object.entries(schema.properties ?? {}).map(([name, inner]) => ({
    name,
    optional: !schema.required?.includes(name),
    fields: fieldsOf(inner.items ?? inner),
  }));
}

/** Money is the same everywhere, and said once. */
const withoutMoney = (fields: readonly Field[]): Field[] =>
  sorted(fields).map(field => ({
    ...field,
    fields: field.fields.some(({ name }) => name === 'currency') ? [] : withoutMoney(field.fields),
  }));
const sorted = (fields: readonly Field[]) => fields.toSorted((a, b) => a.name.localeCompare(b.name));

const branches = (schema: Schema): Schema[] => [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];

function namesIn(schema: Schema): string[] {
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.items ? [schema.items] : []),
    ...branches(schema),
  ];
  return [...Object.keys(schema.properties ?? {}), ...inner.flatMap(namesIn)];
}

function kindsOf(schema: Schema): string[] {
  const kind = schema.properties?.['kind'];
  const own = kind
    ? [...(kind.enum ?? []), ...(kind.const === undefined ? [] : [kind.const])].map(String)
    : [];
  return [...own, ...branches(schema).flatMap(kindsOf)];
}

const flat = (fields: readonly Field[]): string[] =>
  fields.flatMap(field => [field.name, ...flat(field.fields)]);

describe("the README's table of the API", () => {
  const rows = new Map(
    tableRows(section(readme, '## The API'))
      .filter(([name]) => /^`[a-z.]+`$/i.test(name ?? '') && name?.includes('.'))
      .map(([name = '', type = '', shape = '']) => {
        const [input = '', output = ''] = shape.split(' → ');
        return [name.replaceAll('`', ''), { type, input, output }];
      }),
  );
  const all = procedures();

  it('names every procedure, and none that there is not', () => {
    expect([...rows.keys()].toSorted()).toEqual(all.map(({ name }) => name).toSorted());
  });

  it.each(all)('says what $name is, and what it takes', ({ name, type, input }) => {
    const row = rows.get(name);
    expect(row?.type).toBe(type);
    const shown = readFields(codeSpans(row?.input ?? '').find(span => span.startsWith('{')) ?? '');
    expect(withoutMoney(shown)).toEqual(withoutMoney(input));
  });

  it.each(all.filter(({ output }) => output !== null))('says what $name answers', ({ name, output }) => {
    const spans = codeSpans(rows.get(name)?.output ?? '');
    const kinds = output ? kindsOf(output) : [];
    expect(spans).toEqual(expect.arrayContaining(kinds));
    const shown = spans.filter(span => span.startsWith('{')).flatMap(span => flat(readFields(span)));
    const known = new Set(output ? namesIn(output) : []);
    expect(shown.filter(field => !known.has(field))).toEqual([]);
  });
});

// --- settings and commands --------------------------------------------------------------------------------------

describe("the README's table of settings", () => {
  const rows = tableRows(section(readme, '## Settings')).filter(([name]) => name?.startsWith('`'));

  it('names every setting, and none that there is not', () => {
    const names = rows.map(([name = '']) => name.replaceAll('`', ''));
    expect(names.toSorted()).toEqual(Object.keys(environmentSchema.shape).toSorted());
  });

  it('says the defaults', () => {
    const defaults = z.record(z.string(), z.unknown()).parse(environmentSchema.partial().parse({}));
    const shownDefault = (name: string): string => {
      const value = defaults[name];
      if (value === undefined) return 'none that is written here';
      return Array.isArray(value) ? value.join(',') || 'none' : `\`${z.coerce.string().parse(value)}\``;
    };
    const shown = rows.map(([name = '', value = '']) => ({
      name,
      value:
        value.startsWith('`') || Array.isArray(defaults[name.replaceAll('`', '')])
          ? value
          : 'none that is written here',
    }));
    expect(shown).toEqual(shown.map(({ name }) => ({ name, value: shownDefault(name.replaceAll('`', '')) })));
  });
});

describe("the README's table of commands", () => {
  const rows = new Map(
    tableRows(section(readme, '## The commands')).map(([command = '', what = '']) => [
      command.replaceAll('`', '').replace(/^npm (run )?/, ''),
      unescapeCell(what),
    ]),
  );
  rows.delete('command');
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(textOf('package.json')));

  it('names every script, and none that there is not', () => {
    expect([...rows.keys()].toSorted()).toEqual(Object.keys(scripts).toSorted());
  });

  it('names no script elsewhere that there is not', () => {
    const named = [...readme.matchAll(/npm run ([a-z:-]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter(name => !(name in scripts))).toEqual([]);
  });

  it.each(['start', 'drill', 'chaos', 'proof', 'audit', 'import', 'export'])(
    'names the flags that npm run %s explains itself',
    async name => {
      const script = path.join(root, 'scripts', `${name}.ts`);
      const { stdout } = await promisify(execFile)(process.execPath, [script, '--help']);
      const flagsIn = (text: string) => [...new Set(text.match(/--[a-z][a-z-]*/g))].toSorted();
      expect(flagsIn(rows.get(name) ?? '')).toEqual(flagsIn(stdout));
    },
  );
});

describe("the README's test vectors", () => {
  it('are what the permutation gives', () => {
    const [, ranks = ''] =
      tableRows(section(readme, '### The permutation')).find(([what]) => what?.includes('`general`')) ?? [];
    const rankOf = lobbyRanks({ key: Buffer.alloc(32, 7).toString('base64url'), lane: 'general', size: 10 });
    expect(ranks).toBe(`\`${Array.from({ length: 12 }, (_, arrival) => rankOf(arrival)).join(' ')}\``);
  });
});

// --- the other documents ----------------------------------------------------------------------------------------

describe('the key map', () => {
  const map = textOf('lua/README.md');
  const scripts = readdirSync(path.join(root, 'lua')).filter(name => name.endsWith('.lua'));

  it('has every script, and none that there is not', () => {
    const named = tableRows(section(map, '## How a script is written')).map(([name = '']) =>
      name.replaceAll('`', ''),
    );
    expect(named.slice(1).toSorted()).toEqual(scripts.map(name => name.replace('.lua', '')).toSorted());
  });

  it('has every key that a script is given, and says of each who writes it', () => {
    const used = scripts.flatMap(
      name => /^-- KEYS: (.*)$/m.exec(textOf(`lua/${name}`))?.[1]?.split(' ') ?? [],
    );
    const rows = tableRows(section(map, '## The key map')).filter(([key]) => key?.startsWith('`door:'));
    const keys = new Set(rows.map(([key = '']) => key.replaceAll('`', '')));
    // Of holds, of the tickets' buckets and of strings of leaves, scripts are given what the keys begin with.
    const prefixed = new Map([
      ['hold', 'hold:HOLD'],
      ['hold-prefix', 'hold:HOLD'],
      ['ticket-prefix', 'tickets:BUCKET'],
      ['leaf-prefix', 'leaves:LANE:NUMBER'],
    ]);
    const fullNames = used.map(name =>
      name.startsWith('coupon-')
        ? `door:{coupon/CODE}:${name.replace('coupon-', '')}`
        : `door:{DROP}:${prefixed.get(name) ?? name}`,
    );
    expect([...new Set(fullNames)].filter(name => !keys.has(name))).toEqual([]);
    for (const row of rows) expect(row.filter(cell => cell === '')).toEqual([]);
  });
});

describe('the table of invariants', () => {
  const rows = tableRows(section(textOf('test/README.md'), '## Invariants')).slice(1);

  it('names tests that there are', () => {
    const named = rows.flatMap(([, tests = '', controls = '']) =>
      [...`${tests} ${controls}`.matchAll(/`([a-z/-]+\.test\.ts)` ((?:“[^”]+”(?:, )?)+)/g)].flatMap(
        ([, file = '', titles = '']) =>
          [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
      ),
    );
    expect(named.length).toBeGreaterThan(rows.length);
    const missing = named.filter(({ file, title }) => !textOf(`test/${file}`).includes(title));
    expect(missing).toEqual([]);
  });
});
