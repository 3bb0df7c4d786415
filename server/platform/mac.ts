// HMAC-SHA256 (RFC 2104) out of two one-shot hashes. node:crypto's Hmac is an object with a native half for each MAC,
// made, fed, asked and left to the garbage collector, which takes more than twice as long as the hashing; every hold
// checks three. A test holds this against node:crypto's own.
import { hash } from 'node:crypto';

const blockBytes = 64;
const digestBytes = 32;

/** Answers with the MAC of a text's UTF-8, in base64url. A key is at most a block, and texts at most `maxChars` long. */
export function createMac(key: Uint8Array, maxChars: number): (text: string) => string {
  if (key.length > blockBytes) throw new Error('a key is at most as long as a block of the hash');
  const padded = (byte: number) => {
    const pad = Buffer.alloc(blockBytes);
    pad.set(key);
    return pad.map(each => each ^ byte);
  };
  // Written over by each MAC, and read before the next: hashing is synchronous. A UTF-16 unit is at most three bytes.
  const inner = Buffer.alloc(blockBytes + 3 * maxChars);
  const outer = Buffer.alloc(blockBytes + digestBytes);
  inner.set(padded(0x36));
  outer.set(padded(0x5c));
  return text => {
    if (text.length > maxChars) throw new Error('a text to seal is longer than any we would open');
    const end = blockBytes + inner.write(text, blockBytes);
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), blockBytes, 'latin1');
    return hash('sha256', outer, 'base64url');
  };
}
