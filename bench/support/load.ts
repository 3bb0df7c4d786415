// Load over HTTP, by autocannon, from this process. A round counts only if every answer was the one expected.
import autocannon from 'autocannon';

const connections = 100;

/** Sends the same call over and over for `durationSec` and answers with the requests answered a second. */
export async function repeatCall(options: {
  url: string;
  body: string;
  answer: string;
  durationSec: number;
}): Promise<number> {
  const result = await autocannon({
    url: options.url,
    connections,
    duration: options.durationSec,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: options.body,
    expectBody: options.answer,
  });
  assertClean(result);
  return result.requests.total / result.duration;
}

export interface OneCall {
  readonly headers: Record<string, string>;
  readonly body: string;
  /** Whether this is the answer that the call must get. */
  readonly isRight: (status: number, body: string) => boolean;
}

/** Sends each call once, shared out among the connections, and answers with the requests answered a second. */
export async function sendEach(options: { url: string; calls: readonly OneCall[] }): Promise<number> {
  const { calls } = options;
  if (calls.length % connections !== 0) throw new Error(`the calls must come in hundreds: ${calls.length}`);
  const shareCount = calls.length / connections;
  let given = 0;
  let rightCount = 0;
  let wrong = '';
  const { pathname } = new URL(options.url);
  const result = await autocannon({
    url: options.url,
    connections,
    amount: calls.length,
    method: 'POST',
    setupClient(client) {
      const share = calls.slice(given, given + shareCount);
      given += shareCount;
      client.setRequests(
        share.map(call => ({
          method: 'POST',
          path: pathname,
          headers: { 'content-type': 'application/json', ...call.headers },
          body: call.body,
          onResponse(status: number, body: string) {
            if (call.isRight(status, body)) rightCount += 1;
            else wrong = `${status} ${body}`;
          },
        })),
      );
    },
  });
  assertClean(result);
  if (rightCount !== calls.length) {
    throw new Error(`${rightCount} of ${calls.length} answers were right; another was ${wrong}`);
  }
  return result.requests.total / result.duration;
}

function assertClean(result: autocannon.Result): void {
  const { errors, timeouts, mismatches, non2xx } = result;
  if (errors + timeouts + mismatches + non2xx > 0) {
    throw new Error(
      `not every answer was right: ${JSON.stringify({ errors, timeouts, mismatches, non2xx })}`,
    );
  }
}
