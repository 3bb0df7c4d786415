// `npm run proof -- DROP`: checks a drop's fairness from public data alone, and names what does not fit.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { createDoorbuster } from '../client/index.ts';
import {
  checkTicket,
  ProofVerifier,
  type Finding,
  type Known,
  type Verdict,
} from '../client/fairness/verify.ts';

const usage = `npm run proof -- DROP [options]

Recomputes, from what the drop has published, its seed's hash, the lobby's root, the key, and the
chain and order of its calls; with --ticket also that the ticket is in the lobby, and its rank.

  --url URL          the installation (http://localhost:3000)
  --file FILE        a proof that was downloaded from URL/proof/DROP, instead of asking the installation
  --ticket TICKET    a ticket, as queue.join gave it
  --buyer ID, --nonce NONCE
                     its owner's id and the nonce they joined with: checks that the ticket's leaf is theirs
  --seed-hash HEX, --root HEX, --beacon VALUE, --head HEX
                     what you saw yourself, earlier or at its source: it must not have changed since
                     (--head: the hash of a call that was in the log)
  --json             the result as JSON
  --help             this text

It cannot see tickets that the operator invented: they show only in the size of the lobby.
Exit status: 0 all fits, 1 something does not fit, 2 it could not look.
`;

const flags = {
  url: { type: 'string', default: 'http://localhost:3000' },
  file: { type: 'string' },
  ticket: { type: 'string' },
  buyer: { type: 'string' },
  nonce: { type: 'string' },
  'seed-hash': { type: 'string' },
  root: { type: 'string' },
  beacon: { type: 'string' },
  head: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/**
 * Ids, nonces and tickets are base64url, and one in 64 begins with a dash. `parseArgs` takes such a value only behind
 * a `=`, so it is put there: what follows one of these flags and is no flag itself is its value.
 */
function withDashedValues(argv: readonly string[]): string[] {
  const taking = new Set(['--ticket', '--buyer', '--nonce']);
  const isFlag = (text: string) => Object.keys(flags).some(name => text.split('=')[0] === `--${name}`);
  const args: string[] = [];
  for (const text of argv) {
    const before = args.at(-1) ?? '';
    if (taking.has(before) && text.startsWith('-') && !isFlag(text)) args.splice(-1, 1, `${before}=${text}`);
    else args.push(text);
  }
  return args;
}

async function main(): Promise<number> {
  const args = withDashedValues(process.argv.slice(2));
  const { values, positionals } = parseArgs({ args, options: flags, allowPositionals: true });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const [dropId, ...more] = positionals;
  if (more.length > 0 || (dropId === undefined && values.file === undefined)) {
    throw new Error('name one drop, or a --file (--help says more)');
  }
  if ((values.buyer === undefined) !== (values.nonce === undefined)) {
    throw new Error('--buyer and --nonce go together');
  }
  const known: Known = {
    seedHash: values['seed-hash'],
    root: values.root,
    beaconValue: values.beacon,
    callsHead: values.head,
  };
  const startedAt = performance.now();
  const url = values.url.replace(/\/+$/, '');
  const verdict = await verify(await openProof({ url, dropId, file: values.file }), known);
  const provenId = verdict.statement?.dropId;
  const findings: Finding[] = [...verdict.findings];
  if (dropId !== undefined && provenId !== undefined && provenId !== dropId) {
    findings.push({ name: 'format', what: `this is the proof of ${provenId}, not of ${dropId}` });
  }
  let ticket: TicketVerdict | null = null;
  if (values.ticket !== undefined && provenId !== undefined) {
    const own =
      values.buyer !== undefined && values.nonce !== undefined
        ? { buyerId: values.buyer, nonce: values.nonce }
        : undefined;
    ticket = await verifyTicket({ url, dropId: provenId, text: values.ticket, verdict, own });
    findings.push(...ticket.findings);
  }
  const ok = findings.length === 0;
  const tookMs = Math.round(performance.now() - startedAt);
  if (values.json) {
    const { findings: _findings, ok: _ok, ...counted } = verdict;
    process.stdout.write(`${JSON.stringify({ ok, findings, ...counted, ticket, tookMs }, null, 2)}\n`);
  } else print({ ok, findings, verdict, ticket, tookMs });
  return ok ? 0 : 1;
}

async function openProof(from: {
  url: string;
  dropId: string | undefined;
  file: string | undefined;
}): Promise<Readable> {
  if (from.file !== undefined) return createReadStream(from.file);
  const address = `${from.url}/proof/${encodeURIComponent(from.dropId ?? '')}`;
  const response = await fetch(address).catch(() => null);
  if (!response) throw new Error(`${from.url} does not answer`);
  if (!response.ok || !response.body) {
    throw new Error(`${address} answers ${response.status}: ${(await response.text()).slice(0, 200)}`);
  }
  return Readable.from(response.body, { objectMode: false });
}

async function verify(proof: Readable, known: Known): Promise<Verdict> {
  const verifier = new ProofVerifier(known);
  for await (const line of createInterface({ input: proof, crlfDelay: Number.POSITIVE_INFINITY })) {
    verifier.take(line);
  }
  return verifier.end();
}

interface TicketVerdict {
  readonly findings: Finding[];
  readonly lane?: string;
  readonly arrival?: number;
  readonly rank?: number | undefined;
  readonly ownLeafChecked: boolean;
}

/** Against what the proof showed, not against what comes with the ticket: everybody must have been shown the same. */
async function verifyTicket(options: {
  url: string;
  dropId: string;
  text: string;
  verdict: Verdict;
  own: { buyerId: string; nonce: string } | undefined;
}): Promise<TicketVerdict> {
  const { url, dropId, text, verdict, own } = options;
  const shop = createDoorbuster({ url });
  try {
    const { inclusion } = await shop.api.drop.proof.query({ dropId, ticket: text });
    const ownLeafChecked = own !== undefined && inclusion?.leaf !== undefined;
    if (!inclusion || !verdict.statement) {
      return { findings: [{ name: 'ticket', what: 'the lobby is not frozen yet' }], ownLeafChecked };
    }
    const { lane, arrival, rank } = inclusion;
    // What does not fit in the statement itself has been found already.
    const seen = new Set(verdict.findings.map(finding => finding.what));
    const findings = checkTicket({ statement: verdict.statement, inclusion, own });
    return {
      findings: findings.filter(finding => !seen.has(finding.what)),
      lane,
      arrival,
      rank,
      ownLeafChecked,
    };
  } finally {
    await shop.close();
  }
}

function print(result: {
  ok: boolean;
  findings: readonly Finding[];
  verdict: Verdict;
  ticket: TicketVerdict | null;
  tookMs: number;
}): void {
  const { findings, verdict, ticket } = result;
  const { statement } = verdict;
  const say = (text: string) => process.stdout.write(`${text}\n`);
  if (statement) {
    const sizes = statement.lanes.map(({ lane, size }) => `${size.toLocaleString('en')} in ${lane}`);
    say(`Drop ${statement.dropId}, ${statement.mode}`);
    say(`  seed's hash  ${statement.seedHash}`);
    say(`  lobby        ${sizes.join(', ') || 'not frozen'}`);
    say(`  root         ${statement.root ?? '–'}`);
    say(`  beacon       ${statement.beacon ?? 'none'} ${statement.beaconValue ?? ''}`.trimEnd());
    say(`  key          ${statement.key ?? '–'}`);
    say(
      `  calls        ${verdict.callsCount.toLocaleString('en')}, the last with hash ${statement.callsHead}`,
    );
  }
  if (ticket?.arrival !== undefined) {
    say(`  ticket       arrival ${ticket.arrival} in ${ticket.lane}, rank ${ticket.rank ?? 'not known yet'}`);
    if (!ticket.ownLeafChecked)
      say('               (give --buyer and --nonce to check that its leaf is its owner\u2019s)');
  }
  for (const { name, what } of findings) say(`WRONG  ${name}: ${what}`);
  for (const note of verdict.notes) say(`note   ${note}`);
  const took = `${(result.tookMs / 1_000).toFixed(1)} s`;
  say(result.ok ? `All of it fits (${took}).` : `${findings.length} things do not fit (${took}).`);
}

main().then(
  status => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`proof: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
