import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { limits } from '../../server/limits.ts';
import { createMac } from '../../server/platform/mac.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { anyText } from '../support/any-text.ts';

const schema = z.object({ name: z.string() });
const sealer = createSealer({ kind: 'pass', secrets: ['a secret of this test'], schema });

describe('a MAC of ours', () => {
  it('is that of node:crypto, for any key and text', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 0, maxLength: 64 }),
        fc.array(anyText({ maxLength: 300 }), { minLength: 1, maxLength: 4 }),
        (key, texts) => {
          const macOf = createMac(key, 600);
          for (const text of texts) {
            expect(macOf(text)).toBe(createHmac('sha256', key).update(text).digest('base64url'));
          }
        },
      ),
    );
  });

  it('takes the longest text in the widest characters', () => {
    const key = randomBytes(32);
    const text = '\u20ac'.repeat(limits.sealedTextChars);
    expect(createMac(key, limits.sealedTextChars)(text)).toBe(
      createHmac('sha256', key).update(text).digest('base64url'),
    );
    expect(() => createMac(key, 10)('x'.repeat(11))).toThrow('longer');
  });
});

describe('a sealed value', () => {
  const sealed = sealer.seal({ name: 'Zoë' });

  it('opens to what was sealed, again and again', () => {
    expect([sealer.open(sealed), sealer.open(sealed)]).toEqual([{ name: 'Zoë' }, { name: 'Zoë' }]);
  });

  it('does not open with any one character changed, in any other spelling, shortened or lengthened', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      for (const other of ['A', 'B', '.', '=']) {
        if (sealed[at] === other) continue;
        expect(sealer.open(sealed.slice(0, at) + other + sealed.slice(at + 1))).toBeNull();
      }
    }
    const lastDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const spellings = lastDigits
      .split('')
      .map(digit => sealed.slice(0, -1) + digit)
      .filter(text => text !== sealed);
    for (const text of [
      ...spellings,
      sealed.slice(0, -1),
      `${sealed}=`,
      `${sealed}.`,
      `${sealed}A`,
      ` ${sealed}`,
    ]) {
      expect(sealer.open(text)).toBeNull();
    }
  });

  it('opens under an older secret, and not as another kind or without that secret', () => {
    const open = (kind: 'pass' | 'quote', secrets: string[]) =>
      createSealer({ kind, secrets, schema }).open(sealed);
    expect(open('pass', ['a newer one', 'a secret of this test'])).toEqual({ name: 'Zoë' });
    expect(open('pass', ['a newer one'])).toBeNull();
    expect(open('quote', ['a secret of this test'])).toBeNull();
  });
});
