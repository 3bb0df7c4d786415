// Writes through the API of an installation elsewhere: `admin.product.upsert`, ten calls in one request, as many as the
// server takes, and within the size of a body. A server that is busy is asked again, a few times.
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { ProductInput } from '../../server/catalog/product.ts';
import { limits } from '../../server/limits.ts';
import type { ImportOutcome, ImportTarget } from './import-target.ts';

const attemptsMax = 6;
const requestsAtOnce = 4;
/** The braces and keys of a batch are in it, too. */
const bodyBytesMax = limits.httpBodyBytes - 1024;

const answerSchema = z.union([
  z.object({ result: z.object({ data: z.unknown() }) }),
  z.object({ error: z.object({ message: z.string(), data: z.object({ httpStatus: z.int() }).optional() }) }),
]);
type Answer = z.infer<typeof answerSchema>;
const countsSchema = z.object({ result: z.object({ data: z.object({ due: z.int() }) }) });

export function openApiTarget(options: { url: string; adminKey: string }): ImportTarget {
  const base = options.url.replace(/\/$/, '');
  const headers = { authorization: `Bearer ${options.adminKey}`, 'content-type': 'application/json' };

  async function request(products: readonly ProductInput[]): Promise<Answer[]> {
    const paths = products.map(() => 'admin.product.upsert').join(',');
    const body = JSON.stringify(
      Object.fromEntries(products.map((product, index) => [String(index), product])),
    );
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(`${base}/trpc/${paths}?batch=1`, { method: 'POST', headers, body });
      const answers = z.array(answerSchema).safeParse(await response.json().catch(() => null));
      const isBusy = [429, 503].includes(response.status) || (answers.data ?? []).some(isBusyAnswer);
      if (isBusy && attempt < attemptsMax) {
        const afterSec = Number(response.headers.get('retry-after') ?? 2 ** attempt / 4);
        await pause(Math.min(afterSec, 30) * 1000);
        continue;
      }
      if (answers.success && answers.data.length === products.length) return answers.data;
      throw new Error(`${base} answered ${response.status} to a batch of products`);
    }
  }

  return {
    batchCount: limits.batchCallsCount * requestsAtOnce,
    async write(products) {
      const batches = batchesOf(products);
      const answers = await Promise.all(batches.map(request));
      return answers.flat().map(outcomeOfAnswer);
    },
    async dueCount() {
      const response = await fetch(`${base}/trpc/admin.product.counts`, { headers });
      return countsSchema.safeParse(await response.json().catch(() => null)).data?.result.data.due ?? null;
    },
    close: () => Promise.resolve(),
  };
}

function isBusyAnswer(answer: Answer): boolean {
  return 'error' in answer && [429, 503].includes(answer.error.data?.httpStatus ?? 0);
}

/** A refused key, or a role that it lacks, would refuse every product alike: that is no fault of theirs. */
function outcomeOfAnswer(answer: Answer): ImportOutcome {
  if ('result' in answer) return { kind: 'written' };
  const { message, data } = answer.error;
  const status = data?.httpStatus ?? 0;
  if (status === 400 || status === 409) return { kind: 'refused', field: '', reason: message };
  throw new Error(`the server refused to import: ${message}`);
}

function batchesOf(products: readonly ProductInput[]): ProductInput[][] {
  const batches: ProductInput[][] = [];
  let bytes = 0;
  for (const product of products) {
    const size = Buffer.byteLength(JSON.stringify(product)) + 8;
    const last = batches.at(-1);
    if (last && last.length < limits.batchCallsCount && bytes + size <= bodyBytesMax) {
      last.push(product);
      bytes += size;
    } else {
      batches.push([product]);
      bytes = size;
    }
  }
  return batches;
}
