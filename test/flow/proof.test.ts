// The proof of fairness, end to end: a drop is run on a whole installation, and what it published afterwards is
// checked by the command that anybody can run, from public data alone. Then it is tampered with, in each way that an
// operator might try, and each is named.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDoorbuster, type Doorbuster } from '../../client/index.ts';
import { callChainHash, callChainStart, lobbyRoot } from '../../client/fairness/commitments.ts';
import { merkleRoot } from '../../client/fairness/merkle.ts';
import { readProofLine, type ProofLine } from '../../client/fairness/proof-format.ts';
import { checkTicket, ProofVerifier, type Known } from '../../client/fairness/verify.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';
import { runProgram } from '../support/run-program.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-proof-'));
const beaconRounds = new Map<string, string>();
let beacons: Server;
let installation: Installation;
let admin: Doorbuster;

beforeAll(async () => {
  beacons = createServer((req, res) => {
    const randomness = beaconRounds.get(req.url ?? '');
    res.writeHead(randomness ? 200 : 404, { 'content-type': 'application/json' });
    res.end(JSON.stringify(randomness ? { round: 7, randomness } : { error: 'not yet' }));
  });
  await new Promise<void>(resolve => beacons.listen(0, '127.0.0.1', resolve));
  const address = beacons.address();
  if (typeof address !== 'object' || !address) throw new Error('the beacon has no port');
  installation = await startInstallation({
    dataDir: path.join(folder, 'data'),
    port: 0,
    env: { LOG_LEVEL: 'warn', BEACON_URL: `http://127.0.0.1:${address.port}` },
  });
  admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
}, 120_000);
afterAll(async () => {
  await admin?.close();
  await installation?.stop();
  beacons?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Entrant {
  readonly shop: Doorbuster;
  readonly buyerId: string;
  readonly nonce: string;
  readonly ticket: string;
  readonly arrival: number;
}

async function createDrop(change: { mode?: 'fifo' | 'shuffle' | 'draw'; beacon?: string } = {}) {
  const { dropId } = await admin.api.admin.drop.create.mutate({
    title: 'A proven drop',
    mode: 'shuffle',
    opensAtMs: Date.now() + 600_000,
    items: [
      {
        sku: `PROOF-${randomBytes(4).toString('hex')}`,
        total: 50,
        price: { amount: 1_900, currency: 'EUR' },
      },
    ],
    perBuyerMax: 1,
    // Slowly, so that the log has several calls.
    ratePerSec: 4,
    activeMax: 50,
    ...change,
  });
  return dropId;
}

async function enter(dropId: string): Promise<Entrant> {
  const shop = createDoorbuster({ url: installation.url });
  const session = await shop.session();
  const nonce = randomBytes(16).toString('base64url');
  const joined = await shop.api.queue.join.mutate({ dropId, nonce });
  if (!session || joined.kind !== 'joined') throw new Error(`nobody joined: ${joined.kind}`);
  return { shop, buyerId: session.buyerId, nonce, ticket: joined.ticket, arrival: joined.arrival };
}

const proofOf = (dropId: string, ticket?: string) =>
  admin.api.drop.proof.query({ dropId, ...(ticket === undefined ? {} : { ticket }) });
const fairnessOf = async (dropId: string) => (await admin.api.drop.get.query({ dropId })).fairness;
const untilCalled = (dropId: string, count: number) =>
  vi.waitFor(
    async () => {
      const proof = await download(dropId);
      const calls = proof.filter(line => line.kind === 'call');
      expect(calls.reduce((sum, call) => sum + call.to - call.from, 0)).toBe(count);
    },
    { timeout: 20_000, interval: 100 },
  );

async function download(dropId: string): Promise<ProofLine[]> {
  const response = await fetch(`${installation.url}/proof/${dropId}`);
  expect(response.status).toBe(200);
  const lines = (await response.text()).trimEnd().split('\n');
  return lines.map(text => {
    const line = readProofLine(text);
    if (!line) throw new Error(`${text.slice(0, 100)} is no line of a proof`);
    return line;
  });
}

function verdictOn(lines: readonly ProofLine[], known: Known = {}) {
  const verifier = new ProofVerifier(known);
  for (const line of lines) verifier.take(JSON.stringify(line));
  return verifier.end();
}

const run = (...args: string[]) => runProgram(['scripts/proof.ts', ...args]);

describe('a drop with a beacon', () => {
  const entrants: Entrant[] = [];
  let dropId: string;
  let proof: ProofLine[];

  beforeAll(async () => {
    dropId = await createDrop({ beacon: 'drand:testchain:7' });
    for (let count = 0; count < 9; count += 1) entrants.push(await enter(dropId));
  }, 60_000);
  afterAll(async () => {
    await Promise.all(entrants.map(entrant => entrant.shop.close()));
  });

  it('publishes the seed\u2019s hash, then the root, then waits for the beacon, then the key and the seed', {
    timeout: 60_000,
  }, async () => {
    expect(await fairnessOf(dropId)).toEqual({
      seedHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      beacon: 'drand:testchain:7',
    });
    expect(await proofOf(dropId, entrants[0]?.ticket)).not.toHaveProperty('inclusion');
    await admin.api.admin.drop.open.mutate({ dropId });
    await vi.waitFor(async () => expect(await fairnessOf(dropId)).toHaveProperty('root'), {
      timeout: 20_000,
    });
    const before = await admin.api.drop.get.query({ dropId });
    expect(before.state).toBe('lobby');
    expect(before.serverTimeMs).toBeGreaterThanOrEqual(before.opensAtMs);
    const waiting = await proofOf(dropId, entrants[0]?.ticket);
    expect([waiting.key, waiting.seed, waiting.inclusion?.rank]).toEqual([undefined, undefined, undefined]);
    expect(waiting.inclusion?.leaf).toMatch(/^[0-9a-f]{64}$/);

    beaconRounds.set('/testchain/public/7', 'ab'.repeat(32));
    await untilCalled(dropId, entrants.length);
    const open = await proofOf(dropId);
    expect(open).toMatchObject({ root: waiting.root, seedHash: before.fairness.seedHash });
    expect(open.beaconValue).toBe('ab'.repeat(32));
    expect(await fairnessOf(dropId)).toMatchObject({ root: open.root, key: open.key });
    proof = await download(dropId);
  });

  it('passes, by the command that anybody can run, and for each ticket', { timeout: 60_000 }, async () => {
    const [first] = entrants;
    if (!first) throw new Error('nobody entered');
    const own = ['--buyer', first.buyerId, '--nonce', first.nonce];
    const { status, output } = await run(dropId, '--url', installation.url, '--ticket', first.ticket, ...own);
    expect(output).toContain('All of it fits');
    expect(output).toContain('9 in general');
    expect(status).toBe(0);
    const ranks = await Promise.all(
      entrants.map(async ({ ticket, arrival, buyerId, nonce }) => {
        const { inclusion, ...statement } = await proofOf(dropId, ticket);
        if (!inclusion) throw new Error('the ticket is not in the lobby');
        expect(inclusion.arrival).toBe(arrival);
        expect(checkTicket({ statement, inclusion, own: { buyerId, nonce } })).toEqual([]);
        return inclusion.rank ?? -1;
      }),
    );
    expect(ranks.toSorted((a, b) => a - b)).toEqual(entrants.map((_, rank) => rank));
  });

  it('is public without what only the shop and the buyers may know', () => {
    const text = JSON.stringify(proof);
    for (const { buyerId, nonce, ticket } of entrants) {
      for (const secret of [buyerId, nonce, ticket]) expect(text).not.toContain(secret);
    }
  });

  it('is kept by caches for as long as nothing new is published', async () => {
    const address = `${installation.url}/proof/${dropId}`;
    const head = await fetch(address, { method: 'HEAD' });
    const etag = head.headers.get('etag') ?? '';
    expect(head.headers.get('cache-control')).toContain('public');
    expect((await fetch(address, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await fetch(address, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${installation.url}/proof/no-such-drop`)).status).toBe(404);
    expect((await fetch(`${installation.url}/proof/..%2F..%2Fetc`)).status).toBe(404);
  });

  // Each way to cheat, done to the proof as it was downloaded, and the names of what does not fit then.
  const dropEdited = (edit: object) =>
    proof.map(line => (line.kind === 'drop' ? { ...line, ...edit } : line));
  const callEdited = (seq: number, edit: (call: ProofLine & { kind: 'call' }) => object) =>
    proof.map(line => (line.kind === 'call' && line.seq === seq ? { ...line, ...edit(line) } : line));
  const leavesEdited = (edit: (leaves: Buffer) => Buffer) =>
    proof.map(line => {
      if (line.kind !== 'leaves') return line;
      return { ...line, leaves: edit(Buffer.from(line.leaves, 'base64')).toString('base64') };
    });
  const ending = (lines: readonly ProofLine[], leavesCount: number) =>
    lines.map(line => (line.kind === 'end' ? { ...line, leavesCount } : line));
  /** The log as somebody would write it who knows how it is chained. */
  const rechained = (lines: readonly ProofLine[]) => {
    const drop = lines.find(line => line.kind === 'drop');
    let hash = callChainStart(drop?.dropId ?? '', drop?.seedHash ?? '');
    const calls = lines.map(line => {
      if (line.kind !== 'call') return line;
      hash = callChainHash(hash, line);
      return { ...line, hash };
    });
    return calls.map(line => (line.kind === 'drop' ? { ...line, callsHead: hash } : line));
  };
  const withoutTicket = (leaves: Buffer) => Buffer.concat([leaves.subarray(0, 64), leaves.subarray(96)]);
  const withTicket = (leaves: Buffer) => Buffer.concat([leaves, randomBytes(32)]);
  const lobbyEdited = (edit: (leaves: Buffer) => Buffer) => {
    const lines = leavesEdited(edit);
    const line = lines.find(candidate => candidate.kind === 'leaves');
    const leaves = Buffer.from(line?.leaves ?? '', 'base64');
    const general = { size: leaves.length / 32, root: Buffer.from(merkleRoot(leaves)).toString('hex') };
    const drop = lines.find(candidate => candidate.kind === 'drop');
    const lanes = (drop?.lanes ?? []).map(lane => (lane.lane === 'general' ? { ...lane, ...general } : lane));
    const edited = lines.map(candidate =>
      candidate.kind === 'drop'
        ? { ...candidate, lanes, root: lobbyRoot(candidate.dropId, lanes) }
        : candidate,
    );
    return ending(edited, leaves.length / 32);
  };
  const other = randomBytes(32).toString('base64url');
  const otherHex = randomBytes(32).toString('hex');
  const cheats: [what: string, names: string[], lines: () => ProofLine[]][] = [
    ['nothing', [], () => proof],
    ['a seed that was changed after the fact', ['seed', 'key'], () => dropEdited({ seed: other })],
    ['a root that was changed', ['root', 'key'], () => dropEdited({ root: otherHex })],
    ['a key that was changed', ['key'], () => dropEdited({ key: other })],
    ['a beacon whose value was changed', ['key'], () => dropEdited({ beaconValue: otherHex })],
    ['another beacon', ['key'], () => dropEdited({ beacon: 'drand:testchain:8' })],
    ['a beacon that was left out', ['beacon', 'key'], () => dropEdited({ beacon: undefined })],
    ['a beacon that was not waited for', ['beacon', 'key'], () => dropEdited({ beaconValue: undefined })],
    ['a seed that is kept back', ['seed'], () => dropEdited({ seed: undefined })],
    ['a ticket dropped from the leaves', ['leaves', 'leaves'], () => ending(leavesEdited(withoutTicket), 8)],
    ['a ticket dropped from leaves and root', ['key'], () => lobbyEdited(withoutTicket)],
    ['a ticket put into the leaves', ['leaves', 'leaves'], () => ending(leavesEdited(withTicket), 10)],
    ['a ticket put into leaves and root', ['key'], () => lobbyEdited(withTicket)],
    [
      'two tickets that changed places',
      ['leaves'],
      () =>
        leavesEdited(leaves =>
          Buffer.concat([leaves.subarray(32, 64), leaves.subarray(0, 32), leaves.subarray(64)]),
        ),
    ],
    ['a call that was edited', ['chain', 'calls'], () => callEdited(0, call => ({ to: call.to + 1 }))],
    [
      'a favoured call in a log that was chained anew',
      ['calls'],
      () => rechained(callEdited(0, call => ({ to: call.to + 1 }))),
    ],
    [
      'calls in another order',
      ['calls', 'chain', 'head'],
      () => {
        const calls = proof.filter(line => line.kind === 'call');
        let next = calls.length;
        return proof.map(line => {
          if (line.kind !== 'call') return line;
          next -= 1;
          return calls[next] ?? line;
        });
      },
    ],
    [
      'a call that was left out',
      ['calls', 'chain', 'format', 'head'],
      () => proof.filter(line => line.kind !== 'call' || line.seq !== 1),
    ],
    [
      'a log without its end',
      ['format', 'head'],
      () => proof.filter(line => line.kind !== 'call' || line.seq < 1),
    ],
    ['a proof that breaks off', ['format'], () => proof.filter(line => line.kind !== 'end')],
  ];
  it.each(cheats)('shows %s as %j', (_what, names, lines) => {
    const verdict = verdictOn(lines());
    expect([...new Set(verdict.findings.map(finding => finding.name))].toSorted()).toEqual(
      [...new Set(names)].toSorted(),
    );
    expect(verdict.ok).toBe(names.length === 0);
  });

  it('shows a log that was chained anew to whoever knows a call of the old one, and all else that was seen before', () => {
    const calls = proof.filter(line => line.kind === 'call');
    const drop = proof.find(line => line.kind === 'drop');
    const callsHead = calls[1]?.hash;
    expect(calls.length).toBeGreaterThan(2);
    const { seedHash, root: published, beaconValue } = drop ?? {};
    const known = { callsHead, seedHash, root: published, beaconValue };
    expect(verdictOn(proof, known).findings).toEqual([]);
    const late = rechained(callEdited(1, call => ({ atMs: call.atMs + 1 })));
    expect(verdictOn(late).findings).toEqual([]);
    expect(verdictOn(late, known).findings.map(finding => finding.name)).toEqual(['head']);
    for (const [name, value] of [
      ['seed', { seedHash: otherHex }],
      ['root', { root: otherHex }],
      ['beacon', { beaconValue: otherHex }],
    ] as const) {
      expect(verdictOn(proof, value).findings.map(finding => finding.name)).toEqual([name]);
    }
  });

  it('makes the command exit 1 and name it', { timeout: 60_000 }, async () => {
    const file = path.join(folder, 'tampered.ndjson');
    const lines = dropEdited({ key: other });
    writeFileSync(file, `${lines.map(line => JSON.stringify(line)).join('\n')}\n`);
    const { status, output } = await run('--file', file);
    expect(output).toContain('WRONG  key: the key is not what seed, root and beacon give');
    expect(status).toBe(1);
    const json = await run(dropId, '--file', file, '--json');
    expect(JSON.parse(json.output)).toMatchObject({ ok: false, findings: [{ name: 'key' }], leavesCount: 9 });
    expect(json.status).toBe(1);
    const stranger = entrants[1];
    const first = entrants[0];
    if (!first || !stranger) throw new Error('nobody entered');
    // One nonce in 64 begins with a dash, as options do.
    const own = ['--buyer', stranger.buyerId, '--nonce', `-${stranger.nonce.slice(1)}`];
    const swapped = await run(dropId, '--url', installation.url, '--ticket', first.ticket, ...own);
    expect(swapped.output).toContain('WRONG  ticket: at arrival 0');
    expect(swapped.status).toBe(1);
  });

  it('exits 2 and says why when it cannot look', { timeout: 60_000 }, async () => {
    const [nobody, none, unknown, help] = await Promise.all([
      run(dropId, '--url', 'http://127.0.0.1:1'),
      run(),
      run('no-such-drop', '--url', installation.url),
      run('--help'),
    ]);
    expect(nobody).toMatchObject({ status: 2, output: expect.stringContaining('does not answer') });
    expect(none).toMatchObject({ status: 2, output: expect.stringContaining('name one drop') });
    expect(unknown).toMatchObject({ status: 2, output: expect.stringContaining('There is no such drop') });
    expect(help).toMatchObject({ status: 0, output: expect.stringContaining('--ticket TICKET') });
  });
});

describe('a drop whose beacon an operator gives', () => {
  it('opens by that value, which counts only after the root, and once', { timeout: 60_000 }, async () => {
    const dropId = await createDrop({ mode: 'draw', beacon: 'drand:elsewhere:8' });
    const { shop } = await enter(dropId);
    const give = (value: string) => admin.api.admin.drop.beacon.mutate({ dropId, value });
    await expect(give('aa')).rejects.toThrow('not committed yet');
    await admin.api.admin.drop.open.mutate({ dropId });
    await vi.waitFor(async () => expect(await fairnessOf(dropId)).toHaveProperty('root'), {
      timeout: 20_000,
    });
    await expect(shop.api.admin.drop.beacon.mutate({ dropId, value: 'aa' })).rejects.toThrow('admin key');
    await give('aa');
    await expect(give('bb')).rejects.toThrow('another value');
    await untilCalled(dropId, 1);
    const verdict = verdictOn(await download(dropId), { beaconValue: 'aa' });
    expect(verdict).toMatchObject({ ok: true, leavesCount: 1 });
    await shop.close();
  });
});

describe('a drop without a beacon, or without a shuffle', () => {
  it('says what its operator could have done', { timeout: 60_000 }, async () => {
    const dropId = await createDrop();
    const { shop } = await enter(dropId);
    await admin.api.admin.drop.open.mutate({ dropId });
    await untilCalled(dropId, 1);
    const verdict = verdictOn(await download(dropId));
    expect(verdict.ok).toBe(true);
    expect(verdict.notes.join(' ')).toContain('There is no beacon');
    await shop.close();
  });

  it('proves the calls of a drop in order of arrival', { timeout: 60_000 }, async () => {
    const dropId = await createDrop({ mode: 'fifo' });
    const { shop, ticket } = await enter(dropId);
    await admin.api.admin.drop.open.mutate({ dropId });
    await untilCalled(dropId, 1);
    const verdict = verdictOn(await download(dropId));
    expect(verdict).toMatchObject({ ok: true, leavesCount: 0, callsCount: 1 });
    const { inclusion, ...statement } = await proofOf(dropId, ticket);
    expect(inclusion).toEqual({ lane: 'general', arrival: 0, rank: 0 });
    expect(inclusion && checkTicket({ statement, inclusion })).toEqual([]);
    await shop.close();
  });
});
