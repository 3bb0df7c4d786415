// The one table of errors that leave the engine. An expected outcome is a value with a `kind`; what stands here
// is the unexpected, the unauthorised and the malformed.
import { TRPCError } from '@trpc/server';

type TrpcCode = TRPCError['code'];

interface ErrorRow {
  trpc: TrpcCode;
  http: number;
  /** The close code where the error ends a WebSocket; null where the socket lives on. 44xx: do not retry as you are. */
  socketClose: number | null;
  retry: 'never' | 'later' | 'with-new-token';
}

export const errorTable = {
  'invalid-input': { trpc: 'BAD_REQUEST', http: 400, socketClose: null, retry: 'never' },
  unauthorized: { trpc: 'UNAUTHORIZED', http: 401, socketClose: 4401, retry: 'with-new-token' },
  forbidden: { trpc: 'FORBIDDEN', http: 403, socketClose: null, retry: 'never' },
  'not-found': { trpc: 'NOT_FOUND', http: 404, socketClose: null, retry: 'never' },
  conflict: { trpc: 'CONFLICT', http: 409, socketClose: null, retry: 'never' },
  'too-large': { trpc: 'PAYLOAD_TOO_LARGE', http: 413, socketClose: 1009, retry: 'never' },
  'too-many': { trpc: 'TOO_MANY_REQUESTS', http: 429, socketClose: 1008, retry: 'later' },
  unavailable: { trpc: 'SERVICE_UNAVAILABLE', http: 503, socketClose: 1013, retry: 'later' },
  internal: { trpc: 'INTERNAL_SERVER_ERROR', http: 500, socketClose: null, retry: 'later' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/** An error meant for the caller: its message is shown as it stands, so it names no internals. */
export class PublicError extends TRPCError {
  readonly reason: ErrorCode;
  /** Sent as `Retry-After` (whole seconds, rounded up) and in the error's data. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: ErrorCode, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super({ code: errorTable[reason].trpc, message, cause: options.cause });
    this.name = 'PublicError';
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}
