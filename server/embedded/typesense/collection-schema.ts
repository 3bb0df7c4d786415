/**
 * What a collection's schema may say, and the refusals for what it may not. A schema that passed `parseSchema` or
 * `parseSchemaUpdate` has every default filled in, so nothing later asks whether a property is there.
 */
import { z } from 'zod';
import { ApiError, notSupported } from './api-error.ts';

export const fieldTypes = [
  'string',
  'string[]',
  'int32',
  'int32[]',
  'int64',
  'int64[]',
  'float',
  'float[]',
  'bool',
  'bool[]',
] as const;
export type FieldType = (typeof fieldTypes)[number];

/** In the order in which Typesense prints them. */
export type Field = {
  readonly facet: boolean;
  readonly index: boolean;
  readonly infix: boolean;
  readonly locale: string;
  readonly name: string;
  readonly optional: boolean;
  readonly sort: boolean;
  readonly stem: boolean;
  readonly stem_dictionary: string;
  readonly store: boolean;
  readonly type: FieldType;
};

export type CollectionSchema = {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly default_sorting_field: string;
  readonly token_separators: readonly string[];
  readonly symbols_to_index: readonly string[];
  readonly metadata?: Readonly<Record<string, unknown>>;
};

export const isArrayType = (type: FieldType): boolean => type.endsWith('[]');
export const isStringType = (type: FieldType): boolean => type === 'string' || type === 'string[]';

const unsupportedTypes = [
  'object',
  'object[]',
  'geopoint',
  'geopoint[]',
  'geopolygon',
  'auto',
  'string*',
  'image',
];

const fieldSchema = z.strictObject({
  name: z.string().min(1),
  type: z.string(),
  facet: z.boolean().default(false),
  index: z.boolean().default(true),
  optional: z.boolean().default(false),
  sort: z.boolean().optional(),
  infix: z.boolean().default(false),
  locale: z.string().default(''),
  stem: z.boolean().default(false),
  stem_dictionary: z.string().default(''),
  store: z.boolean().default(true),
  range_index: z.boolean().optional(),
});

const asciiSymbols = z.array(z.string().regex(/^[\u0020-\u007e]$/)).default([]);
const metadata = z.record(z.string(), z.unknown()).optional();

const schemaSchema = z.strictObject({
  name: z.string().min(1),
  fields: z.array(z.unknown()),
  default_sorting_field: z.string().default(''),
  token_separators: asciiSymbols,
  symbols_to_index: asciiSymbols,
  enable_nested_fields: z.literal(false).optional(),
  synonym_sets: z.array(z.string()).max(0).optional(),
  metadata,
});

const updateSchema = z.strictObject({ fields: z.array(z.unknown()).optional(), metadata });
const dropSchema = z.strictObject({ name: z.string(), drop: z.literal(true) });

export type SchemaChange = { readonly drop: string } | { readonly add: Field };

export function parseSchema(body: unknown): CollectionSchema {
  const parsed = schemaSchema.safeParse(body);
  if (!parsed.success) throw refusalOf(parsed.error, body);
  const { name, default_sorting_field, token_separators, symbols_to_index } = parsed.data;
  const fields = parsed.data.fields.map(parseField);
  requireDistinct(fields);
  const sorting = fields.find(field => field.name === default_sorting_field);
  if (default_sorting_field !== '') {
    if (sorting === undefined) {
      throw new ApiError(
        400,
        `Default sorting field is defined as \`${default_sorting_field}\` but is not found in the schema.`,
      );
    }
    if (!['int32', 'int64', 'float'].includes(sorting.type) || !sorting.sort || !sorting.index) {
      throw new ApiError(
        400,
        `Default sorting field \`${default_sorting_field}\` must be a single valued numerical field with sort enabled.`,
      );
    }
    if (sorting.optional) {
      throw new ApiError(
        400,
        `Default sorting field \`${default_sorting_field}\` cannot be an optional field.`,
      );
    }
  }
  const schema = { name, fields, default_sorting_field, token_separators, symbols_to_index };
  return parsed.data.metadata === undefined ? schema : { ...schema, metadata: parsed.data.metadata };
}

/** The changes in the order given; dropping and adding one name in the same request replaces the field. */
export function parseSchemaUpdate(body: unknown): {
  changes: SchemaChange[];
  metadata?: Record<string, unknown>;
} {
  const parsed = updateSchema.safeParse(body);
  if (!parsed.success) throw refusalOf(parsed.error, body);
  const changes = (parsed.data.fields ?? []).map((field): SchemaChange => {
    const dropped = dropSchema.safeParse(field);
    return dropped.success ? { drop: dropped.data.name } : { add: parseField(field) };
  });
  if (changes.length === 0 && parsed.data.metadata === undefined) {
    throw new ApiError(400, 'Alter payload is empty.');
  }
  return parsed.data.metadata === undefined ? { changes } : { changes, metadata: parsed.data.metadata };
}

/** The schema after the changes, refused as a whole where one of them does not fit. */
export function changedSchema(schema: CollectionSchema, changes: readonly SchemaChange[]): CollectionSchema {
  const fields = [...schema.fields];
  for (const change of changes) {
    if ('drop' in change) {
      const position = fields.findIndex(field => field.name === change.drop);
      if (position < 0) throw new ApiError(400, `Field \`${change.drop}\` is not part of collection schema.`);
      if (change.drop === schema.default_sorting_field) {
        throw new ApiError(
          400,
          `Field \`${change.drop}\` is the default sorting field and cannot be dropped.`,
        );
      }
      fields.splice(position, 1);
    } else {
      if (fields.some(field => field.name === change.add.name)) {
        throw new ApiError(
          400,
          `Field \`${change.add.name}\` is already part of the schema: To change this field, drop it first before adding it back to the schema.`,
        );
      }
      fields.push(change.add);
    }
  }
  return { ...schema, fields };
}

function parseField(body: unknown): Field {
  const parsed = fieldSchema.safeParse(body);
  if (!parsed.success) throw refusalOf(parsed.error, body);
  const { name, type, facet, index, optional, infix, locale, stem, stem_dictionary, store } = parsed.data;
  const known = fieldTypes.find(candidate => candidate === type);
  if (known === undefined) {
    if (unsupportedTypes.includes(type)) throw notSupported(`Field type \`${type}\` (field \`${name}\`)`);
    throw new ApiError(
      400,
      `Field \`${name}\` has an invalid data type \`${type}\`, see docs for supported data types.`,
    );
  }
  if (name === 'id' || name === '__proto__') throw notSupported(`Declaring the field \`${name}\``);
  if (/[*:()[\]{},&|`\s]/.test(name)) throw notSupported(`The field name \`${name}\``);
  if (infix) throw notSupported(`Infix search (field \`${name}\`)`);
  if (stem || stem_dictionary !== '') throw notSupported(`Stemming (field \`${name}\`)`);
  if (locale !== '' && locale !== 'en') throw notSupported(`Locale \`${locale}\` (field \`${name}\`)`);
  if (!store) throw notSupported(`A field that is not stored (field \`${name}\`)`);
  if (!index && facet) {
    throw new ApiError(400, `Field \`${name}\` cannot be a facet since it's marked as non-indexable.`);
  }
  const sort = parsed.data.sort ?? (!isStringType(known) && !isArrayType(known));
  if (sort && isArrayType(known)) throw notSupported(`Sorting by an array (field \`${name}\`)`);
  return { facet, index, infix, locale, name, optional, sort, stem, stem_dictionary, store, type: known };
}

function requireDistinct(fields: readonly Field[]): void {
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name))
      throw new ApiError(400, `There are duplicate field names in the schema: \`${name}\`.`);
    names.add(name);
  }
}

function refusalOf(error: z.ZodError, body: unknown): ApiError {
  if (typeof body !== 'object' || body === null) return new ApiError(400, 'Bad JSON.');
  const issue = error.issues[0];
  const path = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') return notSupported(`Property \`${issue.keys.join('`, `')}\``);
  if (path !== '' && !path.includes('.') && !(path in body)) {
    return new ApiError(400, `Parameter \`${path}\` is required.`);
  }
  if (path === 'fields') {
    return new ApiError(
      400,
      'The `fields` value should be an array of objects containing `name`, `type` and optionally, `facet` properties.',
    );
  }
  if (path === 'enable_nested_fields') return notSupported('Indexing nested fields');
  if (path === 'synonym_sets') return notSupported('Synonym sets');
  return new ApiError(400, `Property \`${path}\` is invalid: ${issue?.message ?? 'malformed'}.`);
}
