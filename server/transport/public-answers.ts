// What HTTP may keep of our answers. Only answers of queries that are the same for everybody (`cacheableProcedure`), all
// of a batch, and only those without an error. A cache in front of the engine keeps one for a second, so that a crowd
// costs it one call; a browser asks each time, with the tag of what it has, and is sent nothing where that is still
// true. An answer to somebody who showed a token is that browser's alone: no cache between the two keeps it.
import { hash } from 'node:crypto';
import type { AnyProcedure, AnyRouter } from '@trpc/server';
import type { ResponseMetaFn } from '@trpc/server/http';
import { z } from 'zod';
import { limits } from '../limits.ts';

type Meta = ReturnType<ResponseMetaFn<never>>;

/** Frozen to the bottom, so that what is made of it can be kept. */
const metaOf = (cacheControl: string): Meta =>
  Object.freeze({ headers: Object.freeze({ 'cache-control': cacheControl, vary: 'origin' }) });

export const unkept = metaOf('no-store');
const forAll = metaOf(`public, max-age=0, s-maxage=${limits.publicCacheSec}, must-revalidate`);
const forOne = metaOf('private, no-cache');

const cacheableSchema = z.object({ cache: z.literal('public') });

/** Looked at by hand: it stands in the way of every read. */
function isAnonymous(ctx: unknown): boolean {
  if (typeof ctx !== 'object' || ctx === null || !('caller' in ctx)) return false;
  const { caller } = ctx;
  return typeof caller === 'object' && caller !== null && 'why' in caller && caller.why === 'no-token';
}

/** What the headers of an answer without errors say of keeping it. */
export function createKeeping(router: AnyRouter) {
  const cacheable = new Set(
    Object.entries<AnyProcedure>(router._def.procedures)
      .filter(([, { _def, meta }]) => _def.type === 'query' && cacheableSchema.safeParse(meta).success)
      .map(([path]) => path),
  );
  return ({ paths, ctx }: { paths: readonly string[] | undefined; ctx: unknown }): Meta => {
    if (!paths || paths.length === 0 || !paths.every(path => cacheable.has(path))) return unkept;
    return isAnonymous(ctx) ? forAll : forOne;
  };
}

/** The tag of an answer, by its bytes. */
export function tagOf(body: string): string {
  return `"${hash('sha1', body, 'base64url')}"`;
}

/** Whether `If-None-Match` names the tag: RFC 9110, section 13.1.2, by weak comparison. */
export function namesTag(ifNoneMatch: string, tag: string): boolean {
  return ifNoneMatch
    .split(',')
    .map(each => each.trim().replace(/^W\//, ''))
    .some(each => each === '*' || each === tag);
}
