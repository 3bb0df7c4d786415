// The endpoints of documents: written, read, searched, exported and imported.
import { z } from 'zod';
import { ApiError } from './api-error.ts';
import { indexActions, type Collection } from './collection.ts';
import { exportDocuments, importDocuments } from './document-transfer.ts';
import { dirtyValuesModes, parseDocument } from './document-validation.ts';
import { filterMask } from './filter-evaluation.ts';
import { parseFilter } from './filter-parser.ts';
import { collectionOf, created, isTrue, names, ok, parsed, type Route } from './route.ts';
import { selectFields } from './search-hit.ts';
import { forbidden } from './search-service.ts';

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

export const documentRoutes: readonly Route[] = [
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
];
