// Codes of the priority lane. Only keyed hashes of them are kept: neither the database nor Redis tells a code.
import { createHmac } from 'node:crypto';
import type { DropId } from '../ids.ts';

export interface CodeHashes {
  /** What is kept of a code. */
  hash(dropId: DropId, code: string): string;
  /** What may have been kept of it: by each secret in use, the newest first. */
  candidates(dropId: DropId, code: string): string[];
}

export function createCodeHashes(secrets: readonly string[]): CodeHashes {
  const [newest] = secrets;
  if (newest === undefined) throw new Error('codes need a secret');
  const hashUnder = (secret: string, dropId: DropId, code: string) =>
    createHmac('sha256', secret)
      .update(`code\n${dropId}\n${plainCode(code)}`)
      .digest('base64url')
      .slice(0, 32);
  return {
    hash: (dropId, code) => hashUnder(newest, dropId, code),
    candidates: (dropId, code) => secrets.map(secret => hashUnder(secret, dropId, code)),
  };
}

/** A code is read from a mail and typed on a phone: case and spaces at its ends do not matter. */
export function plainCode(code: string): string {
  return code.normalize('NFKC').trim().toLowerCase();
}
