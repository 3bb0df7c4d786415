/** Reads a request's body within a bound. */

import type { IncomingMessage } from 'node:http';
import { invalidRequest } from '../api-error.ts';

/** Far above any form that Stripe's API takes. */
const BODY_BYTES_MAX = 256 * 1024;

export function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) {
        reject(invalidRequest({ status: 413, message: 'The request is too large.' }));
        request.pause();
        return;
      }
      chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
  });
}
