/**
 * The parameters of a search, from an address or a body, into one checked form. Three kinds of names: those with an
 * effect here; those that Typesense has and whose absence here changes no answer (caching, analytics); and the rest,
 * which is refused by name, because a search that ignores what it was asked would be a wrong answer.
 */
import { z } from 'zod';
import { ApiError, notSupported } from './api-error.ts';
import { limits } from './limits.ts';

export type RawParameters = Readonly<Record<string, unknown>>;

const text = z.string();
const list = z.string().transform(value =>
  value
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== ''),
);
const count = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const flag = z.enum(['true', 'false']).transform(value => value === 'true');
const counts = z
  .string()
  .regex(/^\d{1,3}(\s*,\s*\d{1,3})*$/)
  .transform(value => value.split(',').map(Number));
const flags = z
  .string()
  .regex(/^(true|false)(\s*,\s*(true|false))*$/)
  .transform(value => value.split(',').map(part => part.trim() === 'true'));

const effective = {
  q: text.optional(),
  query_by: list.default([]),
  query_by_weights: counts.optional(),
  prefix: flags.default([true]),
  num_typos: counts.default([2]),
  min_len_1typo: count.default(4),
  min_len_2typo: count.default(7),
  typo_tokens_threshold: count.default(100),
  drop_tokens_threshold: count.default(10),
  drop_tokens_mode: z
    .string()
    .regex(/^(right_to_left|left_to_right|both_sides:\d+)$/)
    .default('right_to_left'),
  enable_typos_for_numerical_tokens: flag.default(true),
  enable_typos_for_alpha_numerical_tokens: flag.default(true),
  split_join_tokens: z.enum(['off', 'fallback', 'always']).default('fallback'),
  max_candidates: count.default(limits.candidatesDefaultCount),
  exhaustive_search: flag.default(false),
  prioritize_exact_match: flag.default(true),
  // Off unless asked for: with it an accessory that names a phone everywhere outranks the phone itself.
  prioritize_num_matching_fields: flag.default(false),
  filter_by: text.default(''),
  sort_by: text.default(''),
  facet_by: list.default([]),
  max_facet_values: count.default(10),
  facet_query: text.default(''),
  page: count.optional(),
  per_page: count.optional(),
  limit: count.optional(),
  offset: count.optional(),
  limit_hits: count.optional(),
  include_fields: list.default([]),
  exclude_fields: list.default([]),
  highlight_fields: list.optional(),
  highlight_full_fields: list.default([]),
  highlight_affix_num_tokens: count.default(4),
  highlight_start_tag: text.default('<mark>'),
  highlight_end_tag: text.default('</mark>'),
  snippet_threshold: count.default(30),
  enable_highlight_v1: flag.default(true),
  pinned_hits: text.default(''),
  hidden_hits: list.default([]),
  filter_curated_hits: flag.default(false),
};

const withoutEffect = {
  use_cache: flag.optional(),
  cache_ttl: count.optional(),
  enable_analytics: flag.optional(),
  search_cutoff_ms: count.optional(),
  enable_synonyms: flag.optional(),
  enable_curations: flag.optional(),
  enable_overrides: flag.optional(),
  facet_strategy: z.enum(['exhaustive', 'automatic', 'top_values']).optional(),
};

/** Typesense's other parameters may be given their neutral value, which asks for nothing. */
const neutral = {
  infix: z.literal('off').optional(),
  text_match_type: z.literal('max_score').optional(),
  group_by: z.literal('').optional(),
  prioritize_token_position: z.literal('false').optional(),
  pre_segmented_query: z.literal('false').optional(),
  validate_field_names: z.literal('true').optional(),
  conversation: z.literal('false').optional(),
  nl_query: z.literal('false').optional(),
};

const parameters = z.strictObject({ ...effective, ...withoutEffect, ...neutral });
export type SearchParameters = z.output<typeof parameters>;

export function parseSearchParameters(raw: RawParameters): SearchParameters {
  const texts = Object.fromEntries(
    Object.entries(raw)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]): [string, string] => [name, textOf(name, value)]),
  );
  const parsed = parameters.safeParse(texts);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    throw notSupported(`Search parameter \`${issue.keys.join('`, `')}\``);
  }
  const name = String(issue?.path[0] ?? '');
  if (name in neutral) throw notSupported(`\`${name}=${texts[name] ?? ''}\``);
  if (['page', 'per_page', 'limit', 'offset', 'limit_hits'].includes(name) || name.startsWith('max_')) {
    throw new ApiError(400, `Parameter \`${name}\` must be an unsigned integer.`);
  }
  throw new ApiError(400, `Parameter \`${name}\` has an invalid value: \`${texts[name] ?? ''}\`.`);
}

/** A body carries numbers, booleans and lists where an address has only text. */
function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value) && value.every(part => ['string', 'number', 'boolean'].includes(typeof part))) {
    return value.join(',');
  }
  throw new ApiError(400, `Parameter \`${name}\` must be a string.`);
}
