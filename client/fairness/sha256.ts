// SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104) in plain arithmetic. The browser's own is asynchronous, costs ten
// times as much for the short texts of a proof, and is missing on pages served over plain HTTP; this one gives the
// buyer's page, the engine and the proof the very same function.

const blockBytes = 64;

/** Fractional parts of the cube roots of the first 64 primes. */
const constants = Int32Array.from(firstPrimes(64).map(prime => fraction(Math.cbrt(prime))));
/** Fractional parts of the square roots of the first eight. */
const start = Int32Array.from(firstPrimes(8).map(prime => fraction(Math.sqrt(prime))));

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate += 1) {
    if (primes.every(prime => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}

function fraction(root: number): number {
  return ((root - Math.floor(root)) * 2 ** 32) | 0;
}

// One caller at a time: JavaScript runs to completion, so the working memory is shared and nothing is allocated
// for each of the million hashes of a large lobby but the result.
const words = new Int32Array(64);
const state = new Int32Array(8);
const tail = new Uint8Array(2 * blockBytes);

export function sha256(bytes: Uint8Array): Uint8Array {
  state.set(start);
  const wholeBytes = bytes.length - (bytes.length % blockBytes);
  for (let offset = 0; offset < wholeBytes; offset += blockBytes) absorb(bytes, offset);
  const restCount = bytes.length - wholeBytes;
  const tailBytes = restCount + 9 <= blockBytes ? blockBytes : 2 * blockBytes;
  tail.fill(0, 0, tailBytes);
  for (let index = 0; index < restCount; index += 1) tail[index] = bytes[wholeBytes + index] ?? 0;
  tail[restCount] = 0x80;
  writeWord(tail, tailBytes - 8, Math.floor(bytes.length / 2 ** 29));
  writeWord(tail, tailBytes - 4, (bytes.length << 3) | 0);
  absorb(tail, 0);
  if (tailBytes > blockBytes) absorb(tail, blockBytes);
  const digest = new Uint8Array(32);
  for (let index = 0; index < 8; index += 1) writeWord(digest, index * 4, state[index] ?? 0);
  return digest;
}

export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const block = new Uint8Array(blockBytes);
  block.set(key.length > blockBytes ? sha256(key) : key);
  const inner = new Uint8Array(blockBytes + message.length);
  const outer = new Uint8Array(blockBytes + 32);
  for (let index = 0; index < blockBytes; index += 1) {
    inner[index] = (block[index] ?? 0) ^ 0x36;
    outer[index] = (block[index] ?? 0) ^ 0x5c;
  }
  inner.set(message, blockBytes);
  outer.set(sha256(inner), blockBytes);
  return sha256(outer);
}

function writeWord(target: Uint8Array, offset: number, word: number): void {
  target[offset] = word >>> 24;
  target[offset + 1] = word >>> 16;
  target[offset + 2] = word >>> 8;
  target[offset + 3] = word;
}

/** One block into the state. `?? 0` never happens: it is how the compiler is told that indexes are in range. */
function absorb(bytes: Uint8Array, offset: number): void {
  const w = words;
  for (let index = 0; index < 16; index += 1) {
    const at = offset + index * 4;
    w[index] =
      ((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0);
  }
  for (let index = 16; index < 64; index += 1) {
    const early = w[index - 15] ?? 0;
    const late = w[index - 2] ?? 0;
    const s0 = ((early >>> 7) | (early << 25)) ^ ((early >>> 18) | (early << 14)) ^ (early >>> 3);
    const s1 = ((late >>> 17) | (late << 15)) ^ ((late >>> 19) | (late << 13)) ^ (late >>> 10);
    w[index] = ((w[index - 16] ?? 0) + s0 + (w[index - 7] ?? 0) + s1) | 0;
  }
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  let e = state[4] ?? 0;
  let f = state[5] ?? 0;
  let g = state[6] ?? 0;
  let h = state[7] ?? 0;
  for (let index = 0; index < 64; index += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + s1 + ((e & f) ^ (~e & g)) + (constants[index] ?? 0) + (w[index] ?? 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
  state[4] = (state[4] ?? 0) + e;
  state[5] = (state[5] ?? 0) + f;
  state[6] = (state[6] ?? 0) + g;
  state[7] = (state[7] ?? 0) + h;
}
