// The endpoints of collections.
import { z } from 'zod';
import type { Collection } from './collection.ts';
import { parseSchemaUpdate } from './collection-schema.ts';
import { collectionOf, created, jsonOf, names, ok, parsed, type Route } from './route.ts';
import { selectFields } from './search-hit.ts';

const listQuery = z.strictObject({
  exclude_fields: names,
  limit: z.string().regex(/^\d+$/).optional(),
  offset: z.string().regex(/^\d+$/).default('0'),
});

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

export const collectionRoutes: readonly Route[] = [
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
];
