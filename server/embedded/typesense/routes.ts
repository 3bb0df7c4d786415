/**
 * The endpoints: for each its method and path, the action that a key needs, and what it answers. A path that
 * Typesense has and this list has not is refused as unsupported (see `refusedPaths`); any other is not found.
 */
import { z } from 'zod';
import type { Access, ApiKeys } from './api-keys.ts';
import { ApiError, notSupported } from './api-error.ts';
import { indexActions, type Collection } from './collection.ts';
import type { CollectionRegistry } from './collection-registry.ts';
import { parseSchemaUpdate } from './collection-schema.ts';
import { exportDocuments, importDocuments } from './document-transfer.ts';
import { dirtyValuesModes, parseDocument } from './document-validation.ts';
import { filterMask } from './filter-evaluation.ts';
import { parseFilter } from './filter-parser.ts';
import { selectFields } from './search-hit.ts';
import { forbidden, type SearchService } from './search-service.ts';

export type Services = {
  readonly registry: CollectionRegistry;
  readonly keys: ApiKeys;
  readonly searches: SearchService;
};

export type RouteRequest = {
  /** The parts of the path that the route's pattern names. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
  readonly access: Access;
  /** The access that another key gives; without one, this request's. */
  readonly accessOf: (key: string | undefined) => Access | undefined;
};

export type RouteAnswer =
  | { readonly status: number; readonly json: unknown }
  | { readonly status: number; readonly lines: Iterable<string> };

export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Undefined where no key is asked for, or where the handler asks by itself. */
  readonly action: string | undefined;
  readonly handle: (services: Services, request: RouteRequest) => RouteAnswer | Promise<RouteAnswer>;
};

const ok = (json: unknown): RouteAnswer => ({ status: 200, json });
const created = (json: unknown): RouteAnswer => ({ status: 201, json });

const isTrue = z
  .enum(['true', 'false'])
  .default('false')
  .transform(value => value === 'true');
const names = z
  .string()
  .default('')
  .transform(value => value.split(',').filter(name => name !== ''));
const dirtyValues = z.enum(dirtyValuesModes).default('coerce_or_reject');

const writeQuery = z.strictObject({
  action: z.enum(indexActions).default('create'),
  dirty_values: dirtyValues,
});
const importQuery = writeQuery.extend({
  return_id: isTrue,
  return_doc: isTrue,
  batch_size: z.string().optional(),
  // The client sends its own options along with the rest.
  throwOnFail: z.string().optional(),
});
const exportQuery = z.strictObject({
  filter_by: z.string().default(''),
  include_fields: names,
  exclude_fields: names,
});
const deleteQuery = z.strictObject({
  filter_by: z.string().default(''),
  batch_size: z.string().optional(),
  truncate: isTrue,
});
const filterQuery = z.strictObject({
  filter_by: z.string().default(''),
  dirty_values: dirtyValues,
  action: z.enum(['update']).default('update'),
});
const listQuery = z.strictObject({
  exclude_fields: names,
  limit: z.string().regex(/^\d+$/).optional(),
  offset: z.string().regex(/^\d+$/).default('0'),
});

function parsed<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === 'unrecognized_keys') throw notSupported(`Parameter \`${issue.keys.join('`, `')}\``);
  throw new ApiError(400, `Parameter \`${String(issue?.path[0] ?? '')}\` has an invalid value.`);
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiError(400, 'Bad JSON.');
  }
}

function collectionOf(
  { registry }: Services,
  name: string | undefined,
  message = 'Collection not found',
): Collection {
  const collection = registry.find(name ?? '');
  if (collection === undefined) throw new ApiError(404, message);
  return collection;
}

const summary = ({ schema, createdAtSec, index }: Collection): Record<string, unknown> => ({
  created_at: createdAtSec,
  default_sorting_field: schema.default_sorting_field,
  enable_nested_fields: false,
  fields: schema.fields,
  ...(schema.metadata === undefined ? {} : { metadata: schema.metadata }),
  name: schema.name,
  num_documents: index.documentCount,
  symbols_to_index: schema.symbols_to_index,
  token_separators: schema.token_separators,
});

const notFound = (id: string): ApiError => new ApiError(404, `Could not find a document with id: ${id}`);

function sequencesOf(collection: Collection, filterBy: string): number[] {
  const mask = filterMask(collection, parseFilter(filterBy));
  const sequences: number[] = [];
  mask.forEach((isMatch, sequence) => isMatch === 1 && sequences.push(sequence));
  return sequences;
}

const writeActions = {
  create: 'documents:create',
  upsert: 'documents:upsert',
  update: 'documents:update',
  emplace: 'documents:emplace',
} as const;

export const routes: readonly Route[] = [
  { method: 'GET', path: '/health', action: undefined, handle: () => ok({ ok: true }) },
  {
    method: 'GET',
    path: '/debug',
    action: 'debug:list',
    handle: () => ok({ state: 1, version: 'embedded' }),
  },
  {
    method: 'GET',
    path: '/metrics.json',
    action: 'metrics.json:list',
    // Typesense's figures are strings.
    handle: () => {
      const { rss, heapUsed } = process.memoryUsage();
      return ok({
        typesense_memory_active_bytes: String(rss),
        typesense_memory_allocated_bytes: String(heapUsed),
        typesense_memory_resident_bytes: String(rss),
      });
    },
  },
  {
    method: 'POST',
    path: '/collections',
    action: 'collections:create',
    handle: ({ registry }, { body }) => created(summary(registry.create(jsonOf(body)))),
  },
  {
    method: 'GET',
    path: '/collections',
    action: 'collections:list',
    handle: ({ registry }, { query, access }) => {
      const { limit, offset, exclude_fields } = parsed(listQuery, query);
      const start = Number(offset);
      const all = registry.list().filter(({ name }) => access.allows('collections:list', name));
      const page = all.slice(start, limit === undefined ? undefined : start + Number(limit));
      return ok(page.map(collection => selectFields(summary(collection), [], exclude_fields)));
    },
  },
  {
    method: 'GET',
    path: '/collections/:collection',
    action: 'collections:get',
    handle: (services, { path }) => ok(summary(collectionOf(services, path['collection'], 'Not Found'))),
  },
  {
    method: 'PATCH',
    path: '/collections/:collection',
    action: 'collections:update',
    handle: (services, { path, body }) => {
      const collection = collectionOf(services, path['collection'], 'Not Found');
      const json = jsonOf(body);
      const { changes, metadata } = parseSchemaUpdate(json);
      if (changes.length > 0) {
        collection.changeSchema(changes, schema => services.registry.saveSchema(collection, schema));
      }
      if (metadata !== undefined) services.registry.saveSchema(collection, collection.setMetadata(metadata));
      return ok({
        fields: changes.map(change => ('drop' in change ? { drop: true, name: change.drop } : change.add)),
        ...(metadata === undefined ? {} : { metadata }),
      });
    },
  },
  {
    method: 'DELETE',
    path: '/collections/:collection',
    action: 'collections:delete',
    handle: (services, { path }) => {
      const name = path['collection'] ?? '';
      const collection = collectionOf(services, name, `No collection with name \`${name}\` found.`);
      const answer = summary(collection);
      services.registry.drop(collection);
      return ok(answer);
    },
  },
  {
    method: 'POST',
    path: '/collections/:collection/documents',
    action: undefined,
    handle: (services, { path, query, body, access }) => {
      const { action, dirty_values } = parsed(writeQuery, query);
      if (!access.allows(writeActions[action], path['collection'])) throw forbidden();
      const collection = collectionOf(services, path['collection']);
      const document = parseDocument(body);
      return created(collection.write(() => collection.put(document, { action, dirtyValues: dirty_values })));
    },
  },
  {
    method: 'PATCH',
    path: '/collections/:collection/documents',
    action: 'documents:update',
    handle: (services, { path, query, body }) => {
      const { filter_by, dirty_values } = parsed(filterQuery, query);
      if (filter_by.trim() === '') throw new ApiError(400, 'Parameter `filter_by` must be provided.');
      const collection = collectionOf(services, path['collection']);
      const change = parseDocument(body);
      if ('id' in change) throw new ApiError(400, 'The `id` cannot be changed by a query.');
      const sequences = sequencesOf(collection, filter_by);
      collection.write(() => {
        for (const sequence of sequences) {
          const { id } = collection.document(sequence);
          collection.put({ ...change, id }, { action: 'update', dirtyValues: dirty_values });
        }
      });
      return ok({ num_updated: sequences.length });
    },
  },
  {
    method: 'DELETE',
    path: '/collections/:collection/documents',
    action: 'documents:delete',
    handle: (services, { path, query }) => {
      const { filter_by, truncate } = parsed(deleteQuery, query);
      if (filter_by.trim() === '' && !truncate) {
        throw new ApiError(400, 'Parameter `filter_by` or `truncate` must be provided.');
      }
      const collection = collectionOf(services, path['collection']);
      const sequences = sequencesOf(collection, filter_by);
      collection.write(() => {
        for (const sequence of sequences) collection.remove(sequence);
      });
      return ok({ num_deleted: sequences.length });
    },
  },
  {
    method: 'GET',
    path: '/collections/:collection/documents/search',
    action: 'documents:search',
    handle: ({ searches }, { path, query, access }) =>
      ok(searches.one(path['collection'] ?? '', query, access)),
  },
  {
    method: 'GET',
    path: '/collections/:collection/documents/export',
    action: 'documents:export',
    handle: (services, { path, query }) => {
      const { filter_by, include_fields: included, exclude_fields: excluded } = parsed(exportQuery, query);
      const collection = collectionOf(services, path['collection']);
      const filter = parseFilter(filter_by);
      // A wrong filter is answered with its error, not found out in the middle of the stream.
      filterMask(collection, filter);
      return { status: 200, lines: exportDocuments(collection, { filter, included, excluded }) };
    },
  },
  {
    method: 'POST',
    path: '/collections/:collection/documents/import',
    action: 'documents:import',
    handle: async (services, { path, query, body }) => {
      const { action, dirty_values: dirty, return_id, return_doc } = parsed(importQuery, query);
      const collection = collectionOf(services, path['collection']);
      const options = { action, dirtyValues: dirty, returnId: return_id, returnDocument: return_doc };
      return { status: 200, lines: [await importDocuments(collection, body, options)] };
    },
  },
  {
    method: 'GET',
    path: '/collections/:collection/documents/:id',
    action: 'documents:get',
    handle: (services, { path, query }) => {
      const { include_fields: included, exclude_fields: excluded } = parsed(
        exportQuery.omit({ filter_by: true }),
        query,
      );
      const id = path['id'] ?? '';
      const document = collectionOf(services, path['collection']).find(id);
      if (document === undefined) throw notFound(id);
      return ok(selectFields(document, included, excluded));
    },
  },
  {
    method: 'PATCH',
    path: '/collections/:collection/documents/:id',
    action: 'documents:update',
    handle: (services, { path, query, body }) => {
      const { dirty_values } = parsed(filterQuery.omit({ filter_by: true }), query);
      const collection = collectionOf(services, path['collection']);
      const document = { ...parseDocument(body), id: path['id'] ?? '' };
      return ok(
        collection.write(() => collection.put(document, { action: 'update', dirtyValues: dirty_values })),
      );
    },
  },
  {
    method: 'DELETE',
    path: '/collections/:collection/documents/:id',
    action: 'documents:delete',
    handle: (services, { path, query }) => {
      const { ignore_not_found } = parsed(z.strictObject({ ignore_not_found: isTrue }), query);
      const id = path['id'] ?? '';
      const collection = collectionOf(services, path['collection']);
      const sequence = collection.sequenceOf(id);
      if (sequence === undefined) {
        if (ignore_not_found) return ok({ id });
        throw notFound(id);
      }
      return ok(collection.write(() => collection.remove(sequence)));
    },
  },
  {
    method: 'POST',
    path: '/multi_search',
    action: undefined,
    handle: ({ searches }, { query, body, accessOf }) => ok(searches.many(jsonOf(body), query, accessOf)),
  },
  {
    method: 'GET',
    path: '/aliases',
    action: 'aliases:list',
    handle: ({ registry }) => ok({ aliases: registry.aliases() }),
  },
  {
    method: 'PUT',
    path: '/aliases/:alias',
    action: 'aliases:create',
    handle: ({ registry }, { path, body }) => ok(registry.setAlias(path['alias'] ?? '', jsonOf(body))),
  },
  {
    method: 'GET',
    path: '/aliases/:alias',
    action: 'aliases:get',
    handle: ({ registry }, { path }) => {
      const alias = registry.alias(path['alias'] ?? '');
      if (alias === undefined) throw new ApiError(404, 'Not Found');
      return ok(alias);
    },
  },
  {
    method: 'DELETE',
    path: '/aliases/:alias',
    action: 'aliases:delete',
    handle: ({ registry }, { path }) => {
      const alias = registry.removeAlias(path['alias'] ?? '');
      if (alias === undefined) throw new ApiError(404, 'Not Found');
      return ok(alias);
    },
  },
  { method: 'GET', path: '/keys', action: 'keys:list', handle: ({ keys }) => ok({ keys: keys.list() }) },
  {
    method: 'POST',
    path: '/keys',
    action: 'keys:create',
    handle: ({ keys }, { body }) => created(keys.create(jsonOf(body))),
  },
  {
    method: 'GET',
    path: '/keys/:key',
    action: 'keys:get',
    handle: ({ keys }, { path }) => {
      const key = keys.find(Number(path['key']));
      if (key === undefined) throw new ApiError(404, 'Not Found');
      return ok(key);
    },
  },
  {
    method: 'DELETE',
    path: '/keys/:key',
    action: 'keys:delete',
    handle: ({ keys }, { path }) => {
      const id = Number(path['key']);
      if (!keys.remove(id)) throw new ApiError(404, 'Not Found');
      return ok({ id });
    },
  },
];

/** First parts of paths that Typesense serves and this server does not. */
export const refusedPaths: ReadonlySet<string> = new Set([
  'synonym_sets',
  'curation_sets',
  'overrides',
  'synonyms',
  'conversations',
  'operations',
  'config',
  'analytics',
  'stopwords',
  'presets',
  'stemming',
  'nl_search_models',
]);
