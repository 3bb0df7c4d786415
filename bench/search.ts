// How long does a visitor wait for a search? `search.products` with facets, highlights and typing errors, over real
// products, twenty requests in flight, through the whole HTTP stack; against node:http that answers as many bytes.
import { Agent, get } from 'node:http';
import { z } from 'zod';
import { createSearchIndex } from '../server/search/search-index.ts';
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import { startEmbeddedTypesense } from '../test/support/embedded-typesense.ts';
import { hasRealProducts, realEntries, realProductsFile } from '../test/support/real-products.ts';
import type { Bench, BenchRow } from './row.ts';
import { startChildServer } from './support/child-server.ts';

const inFlightCount = 20;
const roundCount = 500;
const batchCount = 200;

const answerSchema = z.object({
  result: z.object({ data: z.object({ total: z.int(), degraded: z.literal(true).optional() }) }),
});

/** Two words of each title, as they are, half-typed, and with a typing error. */
function questionsOf(titles: readonly string[]): string[] {
  const questions = titles.flatMap(title => {
    const [first, second] = (title.match(/[A-Za-z]{4,}/g) ?? []).slice(0, 2);
    const last = (title.match(/[A-Za-z]{4,}/g) ?? []).at(-1);
    if (!first || !second || !last) return [];
    const mistyped = `${first.slice(0, 2)}${first.slice(3)}`;
    return [
      `${first} ${second}`,
      `${second} ${last.slice(0, 3)}`,
      `${mistyped} ${second}`,
      `${mistyped} ${last}`,
    ];
  });
  return [...new Set(questions)];
}

function fetchText(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${response.statusCode} ${text}`));
      });
    }).on('error', reject);
  });
}

/** The time of each request, in ms, ascending. */
async function timesOf(options: {
  urlOf: (number: number) => string;
  isRight: (text: string) => boolean;
}): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlightCount });
  const times: number[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlightCount }, async () => {
      while (next < roundCount) {
        const number = next;
        next += 1;
        const startedAtMs = performance.now();
        const text = await fetchText(options.urlOf(number), agent);
        times.push(performance.now() - startedAtMs);
        if (!options.isRight(text)) throw new Error(`an answer was not right: ${text.slice(0, 200)}`);
      }
    }),
  );
  agent.destroy();
  return times.toSorted((a, b) => a - b);
}

const shareOf = (times: readonly number[], share: number): number =>
  times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;

async function prepare(say: (line: string) => void, share: number): Promise<Bench> {
  if (!hasRealProducts) throw new Error(`the products are not there: ${realProductsFile}`);
  const [redis, typesense] = await Promise.all([startEmbeddedRedis(), startEmbeddedTypesense()]);
  const index = createSearchIndex(typesense);
  await index.ensure();
  const entries = realEntries();
  for (let from = 0; from < entries.length; from += batchCount) {
    await index.put(entries.slice(from, from + batchCount));
  }
  const engine = await startChildServer('search', {
    REDIS_LIMITS_URL: redis.url,
    TOKEN_SECRET: 'a secret for this bench alone',
    TYPESENSE_URL: typesense.url,
    TYPESENSE_API_KEY: typesense.apiKey,
  });
  const questions = questionsOf(entries.map(({ title }) => title));
  // More of them than the search service remembers answers, one after another: each is searched for.
  let asked = 0;
  const searchUrl = () => {
    const input = JSON.stringify({ q: questions[asked % questions.length] ?? '' });
    asked += 1;
    return `${engine.url}/trpc/search.products?input=${encodeURIComponent(input)}`;
  };
  const isAnswer = (text: string) => {
    const parsed = answerSchema.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.result.data.degraded === undefined;
  };
  const sample = await fetchText(searchUrl(), new Agent());
  const bare = await startChildServer('bare-http', {
    BENCH_ANSWER: JSON.stringify({ headers: { 'content-type': 'application/json' }, body: sample }),
  });
  const told = (name: string, times: readonly number[]) => {
    say(`${name}: p50 ${shareOf(times, 0.5).toFixed(2)} ms, p99 ${shareOf(times, 0.99).toFixed(2)} ms`);
    return shareOf(times, share);
  };
  const ours = () => timesOf({ urlOf: searchUrl, isRight: isAnswer });
  const reference = () => timesOf({ urlOf: () => bare.url, isRight: text => text === sample });
  await ours();
  await reference();
  return {
    ours: async () => told('search', await ours()),
    reference: async () => told('bare HTTP', await reference()),
    async close() {
      await Promise.all([engine.stop(), bare.stop()]);
      await Promise.all([typesense.stop(), redis.dispose()]);
    },
  };
}

// A search is some milliseconds of the search service's one thread, so the twentieth in line waits for nineteen; the
// reference answers in a part of one.
const common = {
  question: 'search.products over 1,974 products, 20 requests in flight',
  unit: 'ms',
  referenceName: 'node:http, an answer of the same size',
};

export const rows: BenchRow[] = [
  { ...common, name: 'search', target: { atMost: 60 }, prepare: say => prepare(say, 0.99) },
  { ...common, name: 'search-p50', target: { atMost: 60 }, prepare: say => prepare(say, 0.5) },
];
