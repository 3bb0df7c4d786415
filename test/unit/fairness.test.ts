import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64, fromHex, toBase64Url, toHex, utf8 } from '../../client/fairness/bytes.ts';
import {
  callChainHash,
  callChainStart,
  lobbyKey,
  lobbyRoot,
  pseudonymOf,
  seedHash,
  ticketLeaf,
} from '../../client/fairness/commitments.ts';
import {
  hashAt,
  joinHashes,
  leafHash,
  merkleLevels,
  merklePath,
  merkleRoot,
  MerkleTree,
  pieceLeavesCount,
  rootOfPath,
} from '../../client/fairness/merkle.ts';
import { readProofLine } from '../../client/fairness/proof-format.ts';
import { hmacSha256, sha256 } from '../../client/fairness/sha256.ts';
import { checkTicket } from '../../client/fairness/verify.ts';

const leavesOf = (size: number) =>
  joinHashes(Array.from({ length: size }, (_, index) => sha256(utf8(`leaf ${index}`))));

describe('the hashes of a proof', () => {
  it('are SHA-256 and HMAC-SHA256 as Node has them, for texts of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 100 }), (message, key) => {
        expect(toHex(sha256(message))).toBe(createHash('sha256').update(message).digest('hex'));
        expect(toHex(hmacSha256(key, message))).toBe(createHmac('sha256', key).update(message).digest('hex'));
      }),
    );
  });

  it('are written and read without loss, and refused where they are something else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(fromBase64(toBase64Url(bytes))).toEqual(bytes);
        expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
      }),
    );
    expect(fromHex('zz'.repeat(32))).toBeNull();
    expect(fromHex('00')).toBeNull();
    expect(fromBase64('*')).toBeNull();
  });
});

describe('the Merkle tree of a lobby', () => {
  it('is the one of Certificate Transparency', () => {
    // The test vectors that RFC 6962's reference implementation publishes for its first eight leaves.
    const contents = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ];
    const leaves = contents.map(text => leafHash(Buffer.from(text, 'hex')));
    const rootOf = (size: number) => toHex(merkleRoot(joinHashes(leaves.slice(0, size))));
    expect(rootOf(0)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(rootOf(1)).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    expect(rootOf(2)).toBe('fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125');
    expect(rootOf(3)).toBe('aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77');
    expect(rootOf(7)).toBe('ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c');
    expect(rootOf(8)).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
  });

  it('includes every leaf of every small tree, and nothing else', () => {
    for (let size = 1; size <= 40; size += 1) {
      const leaves = leavesOf(size);
      const root = toHex(merkleRoot(leaves));
      const levels = merkleLevels(leaves);
      for (let index = 0; index < size; index += 1) {
        const path = merklePath(levels, index);
        const leaf = hashAt(leaves, index);
        expect(toHex(rootOfPath({ leaf, index, size, path }) ?? leaf)).toBe(root);
        // The same leaf elsewhere, another leaf here, and a longer path lead somewhere else.
        const other = rootOfPath({ leaf, index: (index + 1) % size, size, path });
        expect(size === 1 || other === null || toHex(other) !== root).toBe(true);
        const swapped = rootOfPath({ leaf: sha256(leaf), index, size, path });
        expect(swapped && toHex(swapped)).not.toBe(root);
        expect(rootOfPath({ leaf, index, size, path: [...path, leaf] })).toBeNull();
      }
      expect(rootOfPath({ leaf: hashAt(leaves, 0), index: size, size, path: [] })).toBeNull();
    }
  });

  it('gives the same root and paths whether it is made at once, in portions or of pieces', () => {
    const sizes = [1, 4_095, 4_096, 4_097, 9_000, 3 * 4_096 + 1];
    for (const size of sizes) {
      const leaves = leavesOf(size);
      const whole = merkleLevels(leaves);
      const root = toHex(merkleRoot(leaves));
      const tree = new MerkleTree();
      for (let from = 0; from < size; from += 1_777)
        tree.add(leaves.subarray(from * 32, (from + 1_777) * 32));
      expect([tree.size, toHex(tree.root())]).toEqual([size, root]);

      const pieces = Array.from({ length: Math.ceil(size / pieceLeavesCount) }, (_, piece) =>
        leaves.subarray(piece * pieceLeavesCount * 32, (piece + 1) * pieceLeavesCount * 32),
      );
      const above = merkleLevels(joinHashes(pieces.map(merkleRoot)));
      for (const index of [0, Math.floor(size / 2), size - 1]) {
        const piece = Math.floor(index / pieceLeavesCount);
        const within = merklePath(merkleLevels(pieces[piece] ?? leaves), index % pieceLeavesCount);
        const path = [...within, ...merklePath(above, piece)];
        expect(path.map(toHex)).toEqual(merklePath(whole, index).map(toHex));
      }
    }
  });
});

/** The values that docs/fairness.md gives for reimplementations. */
const seed = Buffer.alloc(32, 1).toString('base64url');
const dropId = 'drop-0123456789abcdef';
const buyerId = 'AAECAwQFBgcICQoLDA0ODw';
const nonce = '_____________________w';

describe('the commitments of a drop', () => {
  it('keep their published test vectors', () => {
    expect(seedHash(seed)).toBe('72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793');
    const pseudonym = createHash('sha256')
      .update(`doorbuster/pseudonym/1\n${dropId}\n${buyerId}`)
      .digest()
      .subarray(0, 16)
      .toString('base64url');
    expect(pseudonymOf(dropId, buyerId)).toBe(pseudonym);
    const leaf = createHash('sha256')
      .update('\0')
      .update(`doorbuster/ticket/1\n${dropId}\n${pseudonym}\n${nonce}`)
      .digest('hex');
    expect(toHex(ticketLeaf({ dropId, buyerId, nonce }))).toBe(leaf);
    const root = createHash('sha256')
      .update(`doorbuster/lobby/1\n${dropId}\ngeneral\n1\n${leaf}`)
      .digest('hex');
    expect(lobbyRoot(dropId, [{ lane: 'general', size: 1, root: leaf }])).toBe(root);
    const key = createHmac('sha256', Buffer.alloc(32, 1))
      .update(`doorbuster/key/1\n${dropId}\n${root}\ndrand:quicknet:7\n${'ab'.repeat(32)}`)
      .digest('base64url');
    const beaconValue = 'ab'.repeat(32);
    expect(lobbyKey({ seed, dropId, root, beacon: 'drand:quicknet:7', beaconValue })).toBe(key);
    const documented = readFileSync(resolve(import.meta.dirname, '../../docs/fairness.md'), 'utf8');
    for (const value of [seed, seedHash(seed), dropId, buyerId, nonce, pseudonym, leaf, root, key]) {
      expect(documented).toContain(`\`${value}\``);
    }
    expect({ pseudonym, leaf, root, key }).toMatchInlineSnapshot(`
      {
        "key": "_MgMG9iBpwQpxVdIhPRYqxEj7KgcmaQalO5HvQqZUHE",
        "leaf": "ab157fdb37ffdf13b332c70c9fb1f27a729ab83cb9c080d88c7a1da250e8e866",
        "pseudonym": "BgAwGKaKvyI--8EYB_vRHQ",
        "root": "913c13f9914c03763c61ce575cfd1c8a83e64a0a51b8058ee5c294793251d425",
      }
    `);
    const start = callChainStart(dropId, 'seed-hash');
    expect(start).toBe(createHash('sha256').update(`${dropId}\nseed-hash`).digest('hex'));
    expect(callChainHash(start, { seq: 0, atMs: 5, lane: 'general', from: 0, to: 3 })).toBe(
      createHash('sha256').update(`${start}\n0\n5\ngeneral\n0\n3`).digest('hex'),
    );
  });

  it('give no key for a seed or a root that is none', () => {
    const good = { seed, dropId, root: 'ab'.repeat(32), beacon: '', beaconValue: '' };
    expect(lobbyKey(good)).not.toBeNull();
    expect(lobbyKey({ ...good, seed: 'short' })).toBeNull();
    expect(lobbyKey({ ...good, root: 'none' })).toBeNull();
    expect(seedHash('short')).toBeNull();
  });
});

describe('a proof from somebody whom nobody trusts', () => {
  it('is read without trouble, whatever its lines are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        expect(() => readProofLine(text)).not.toThrow();
      }),
    );
    expect(readProofLine('{"kind":"call","seq":-1}')).toBeNull();
    expect(readProofLine('{"kind":"drop","format":2}')).toBeNull();
    expect(readProofLine('[]')).toBeNull();
  });

  it('cannot pass off a ticket whose key is none', () => {
    const statement = {
      dropId,
      mode: 'shuffle',
      seedHash: '',
      lanes: [{ lane: 'general', size: 2, root: '' }],
      key: 'not a key',
      callsCount: 0,
      callsHead: '',
    };
    const findings = checkTicket({ statement, inclusion: { lane: 'general', arrival: 0, rank: 0 } });
    expect(findings.map(finding => finding.name)).toEqual(expect.arrayContaining(['seed', 'ticket', 'rank']));
  });
});
