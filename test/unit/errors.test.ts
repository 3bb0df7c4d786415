// The table of errors agrees with tRPC, with the codes that sockets close with, and with the README.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { describe, expect, it } from 'vitest';
import { errorTable } from '../../server/errors.ts';
import { closeCodes } from '../../server/transport/socket-guard.ts';

const rows = Object.entries(errorTable);

describe('the table of errors', () => {
  it.each(rows)('%s has the HTTP status that tRPC gives its code', (_code, { trpc, http }) => {
    expect(getHTTPStatusCodeFromError(new TRPCError({ code: trpc }))).toBe(http);
  });

  it('has one row for each code of tRPC', () => {
    expect(new Set(rows.map(([, { trpc }]) => trpc)).size).toBe(rows.length);
  });

  it('closes sockets with the codes that sockets are closed with', () => {
    expect(errorTable.unauthorized.socketClose).toBe(closeCodes.unauthorized);
    expect(errorTable['too-many'].socketClose).toBe(closeCodes.policy);
    expect(errorTable.unavailable.socketClose).toBe(closeCodes.tryLater);
  });

  it('stands in the README as it is here', () => {
    const readme = readFileSync(path.resolve(import.meta.dirname, '../../README.md'), 'utf8');
    const chapter = readme.split(/^### Errors$/m)[1]?.split(/^#{1,3} /m)[0] ?? '';
    const cells = chapter
      .split('\n')
      .filter(line => line.startsWith('|'))
      .map(line =>
        line
          .split('|')
          .slice(1, -1)
          .map(cell => cell.trim().replaceAll('`', '')),
      );
    const [head, , ...body] = cells;
    expect(head).toEqual(['error', 'tRPC code', 'HTTP', 'socket closes with', 'try again']);
    expect(body).toEqual(
      rows.map(([code, { trpc, http, socketClose, retry }]) => [
        code,
        trpc,
        String(http),
        socketClose === null ? '–' : String(socketClose),
        retry,
      ]),
    );
  });
});
