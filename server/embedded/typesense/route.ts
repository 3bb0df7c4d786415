// What a route is, and how routes read what they are asked.
import { z } from 'zod';
import type { Access, ApiKeys } from './api-keys.ts';
import { ApiError, notSupported } from './api-error.ts';
import type { Collection } from './collection.ts';
import type { CollectionRegistry } from './collection-registry.ts';
import type { SearchService } from './search-service.ts';

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

export const ok = (json: unknown): RouteAnswer => ({ status: 200, json });
export const created = (json: unknown): RouteAnswer => ({ status: 201, json });

export const isTrue = z
  .enum(['true', 'false'])
  .default('false')
  .transform(value => value === 'true');
export const names = z
  .string()
  .default('')
  .transform(value => value.split(',').filter(name => name !== ''));
export function parsed<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === 'unrecognized_keys') throw notSupported(`Parameter \`${issue.keys.join('`, `')}\``);
  throw new ApiError(400, `Parameter \`${String(issue?.path[0] ?? '')}\` has an invalid value.`);
}

export function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiError(400, 'Bad JSON.');
  }
}

export function collectionOf(
  { registry }: Services,
  name: string | undefined,
  message = 'Collection not found',
): Collection {
  const collection = registry.find(name ?? '');
  if (collection === undefined) throw new ApiError(404, message);
  return collection;
}
