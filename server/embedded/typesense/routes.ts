/**
 * The endpoints: for each its method and path, the action that a key needs, and what it answers. A path that
 * Typesense has and this list has not is refused as unsupported (see `refusedPaths`); any other is not found.
 */
import { ApiError } from './api-error.ts';
import { collectionRoutes } from './collection-routes.ts';
import { documentRoutes } from './document-routes.ts';
import { created, jsonOf, ok, type Route } from './route.ts';

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
    path: '/multi_search',
    action: undefined,
    handle: ({ searches }, { query, body, accessOf }) => ok(searches.many(jsonOf(body), query, accessOf)),
  },
  ...collectionRoutes,
  ...documentRoutes,
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

/** First parts of paths that Typesense serves and this server does not: the engine asks for none of them. */
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
