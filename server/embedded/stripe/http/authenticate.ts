/**
 * Whose key a request carries: as Bearer, as the user of basic authentication, or as the parameter `key` (the way a
 * page sends its publishable key). Keys are compared in constant time and never repeated in full.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ApiError } from '../api-error.ts';

export interface ApiKeys {
  secretKey: string;
  publishableKey: string;
}

export function keyOfHeader(request: IncomingMessage): string | undefined {
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() === 'bearer' && value !== '') return value;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  return Buffer.from(value, 'base64').toString('utf8').split(':')[0];
}

export function sameKey(given: string, known: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(known));
}

function refused(message: string, code?: string): ApiError {
  return new ApiError(401, {
    type: 'invalid_request_error',
    message,
    ...(code === undefined ? {} : { code }),
  });
}

export function scopeOf(key: string | undefined, keys: ApiKeys, isPublic: boolean): 'secret' | 'publishable' {
  if (key === undefined || key === '') {
    throw refused(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
    );
  }
  if (sameKey(key, keys.secretKey)) return 'secret';
  if (!sameKey(key, keys.publishableKey)) {
    throw refused(`Invalid API Key provided: ${key.slice(0, 8)}${'*'.repeat(12)}${key.slice(-4)}`);
  }
  if (isPublic) return 'publishable';
  throw refused(
    'This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.',
    'secret_key_required',
  );
}
