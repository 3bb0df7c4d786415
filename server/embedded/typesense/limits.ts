/**
 * Every bound of the embedded search server, with its reason.
 * They keep one request from holding the single thread, or the memory, of a process that serves a whole shop.
 */
export const limits = {
  /** An import of 100,000 products of about 1 kB is 100 MB; the body is held in memory while it is worked off. */
  bodyBytesMax: 256 * 1024 * 1024,
  /** Documents indexed in one transaction of an import; between two of them other requests are answered. */
  importBatchCount: 500,
  /** Documents read at once for an export, so that a large collection is never in memory as text. */
  exportBatchCount: 500,
  /** Typesense's own bound for a page of hits. */
  perPageMax: 250,
  /** Typesense's own bound for the length of a search in an address; filters in a body are held to it as well. */
  filterCharsMax: 4000,
  /** Parentheses in a filter are parsed recursively; no honest filter nests this deeply. */
  filterDepthMax: 50,
  /** Words of a query that are searched; the rest is ignored, as in Typesense. */
  queryTokensMax: 10,
  /** Bits of the mask of matched fields. */
  queryFieldsMax: 31,
  sortFieldsMax: 3,
  /** Longer words are cut: they are never typed in full, and a key of the index should stay small. */
  tokenCharsMax: 100,
  /** Words that one word of a query may be corrected or completed to, per number of typos. */
  candidatesDefaultCount: 8,
  candidatesMaxCount: 1000,
  searchesPerRequestMax: 50,
  /** Postings kept decoded, counted in documents (4 bytes each): 64 MB. */
  postingsCacheEntries: 16 * 1024 * 1024,
  /** Finished answers kept per collection, and their total size in characters. */
  resultCacheCount: 500,
  resultCacheChars: 16 * 1024 * 1024,
  /** Integers beyond this lose digits in JSON numbers, so an int64 outside it is refused rather than bent. */
  int64Max: Number.MAX_SAFE_INTEGER,
} as const;
