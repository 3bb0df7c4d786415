// Where a browser's request comes from. A page of the engine's own address, or of a listed origin, may call it; a
// request without an Origin is not a browser's cross-site one.
import type { IncomingMessage } from 'node:http';

export type OriginCheck = (req: IncomingMessage) => { ok: true; allow: string | null } | { ok: false };

export function createOriginCheck(allowedOrigins: readonly string[]): OriginCheck {
  const allowed = new Set(allowedOrigins);
  return req => {
    const { origin, host } = req.headers;
    if (origin === undefined) return { ok: true, allow: null };
    if (allowed.has(origin)) return { ok: true, allow: origin };
    if (URL.canParse(origin) && new URL(origin).host === host) return { ok: true, allow: null };
    return { ok: false };
  };
}
