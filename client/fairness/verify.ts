// Checks what a drop published, from that alone: nothing here asks the engine for its word. Each finding names what
// does not fit what.
//
// What it cannot see: tickets that an operator invented are leaves like any other, and show only in the lobby's size;
// a drop without a beacon was opened with a key that its operator could compute from the lobby beforehand.
import { fromBase64, fromHex, toHex } from './bytes.ts';
import { callChainHash, callChainStart, lobbyKey, lobbyRoot, seedHash, ticketLeaf } from './commitments.ts';
import { hashBytes, MerkleTree, rootOfPath } from './merkle.ts';
import { lobbyRanks } from './permutation.ts';
import { readProofLine, type Inclusion, type ProofLine, type ProofStatement } from './proof-format.ts';

export type FindingName =
  | 'format'
  | 'seed'
  | 'root'
  | 'leaves'
  | 'beacon'
  | 'key'
  | 'chain'
  | 'calls'
  | 'head'
  | 'ticket'
  | 'rank';

export interface Finding {
  readonly name: FindingName;
  readonly what: string;
}

/** What the checker saw itself, earlier or elsewhere: what was published beforehand must not have changed since. */
export interface Known {
  readonly seedHash?: string | undefined;
  readonly root?: string | undefined;
  readonly beaconValue?: string | undefined;
  readonly callsHead?: string | undefined;
}

export interface Verdict {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** What holds only under a condition, or could not be checked. */
  readonly notes: readonly string[];
  readonly statement: ProofStatement | null;
  readonly leavesCount: number;
  /** Places in the lobby whose tickets Redis lost before they were published: nobody can be shown to have been there. */
  readonly emptyPlacesCount: number;
  readonly callsCount: number;
}

/** The commitments among themselves: seed and its hash, lanes and root, key and all that it follows from. */
export function checkStatement(statement: ProofStatement, known: Known = {}): Finding[] {
  const { dropId, mode, seed, root, key, beacon = '', beaconValue = '', lanes } = statement;
  const findings: Finding[] = [];
  const find = (name: FindingName, what: string) => findings.push({ name, what });

  if (known.seedHash !== undefined && statement.seedHash !== known.seedHash) {
    find('seed', `the seed's hash is ${statement.seedHash}, and was published as ${known.seedHash}`);
  }
  if (known.root !== undefined && root !== known.root) {
    find('root', `the lobby's root is ${root ?? 'missing'}, and was published as ${known.root}`);
  }
  if (known.beaconValue !== undefined && beaconValue !== known.beaconValue) {
    find('beacon', `the beacon is given as ${beaconValue || 'nothing'}, and was ${known.beaconValue}`);
  }
  if (seed !== undefined && seedHash(seed) !== statement.seedHash) {
    find('seed', 'the seed is not the one whose hash was published beforehand');
  }
  if (root !== undefined && lobbyRoot(dropId, lanes) !== root) {
    find('root', 'the root is not that of the lanes and their sizes');
  }
  if (beacon === '' && beaconValue !== '') find('beacon', 'there is a value of a beacon that nobody named');
  if (key === undefined) {
    if (seed !== undefined && root !== undefined && mode !== 'fifo') find('key', 'the key was not published');
    return findings;
  }
  if (mode === 'fifo') find('key', 'a drop in order of arrival has no key, and this one has');
  if (root === undefined) find('root', 'there is a key, but no root that it could follow from');
  if (seed === undefined) find('seed', 'the key is published, and the seed is still kept back');
  if (beacon !== '' && beaconValue === '') find('beacon', `the key did not wait for the beacon ${beacon}`);
  if (root !== undefined && seed !== undefined) {
    const expected = lobbyKey({ seed, dropId, root, beacon, beaconValue });
    if (key !== expected) find('key', 'the key is not what seed, root and beacon give');
  }
  return findings;
}

/** Takes the lines of a proof's download one by one, so that a lobby of a million needs no memory to speak of. */
export class ProofVerifier {
  readonly #known: Known;
  readonly #findings: Finding[] = [];
  readonly #trees = new Map<string, MerkleTree>();
  readonly #nextRank = new Map<string, number>();
  #statement: ProofStatement | null = null;
  #chain = '';
  #sawKnownHead = false;
  #leavesCount = 0;
  #emptyCount = 0;
  #callsCount = 0;
  #ended = false;
  #lineNumber = 0;

  constructor(known: Known = {}) {
    this.#known = known;
  }

  take(text: string): void {
    this.#lineNumber += 1;
    if (text === '') return;
    const line = readProofLine(text);
    if (!line) return this.#find('format', `line ${this.#lineNumber} is none of a proof`);
    if (this.#ended) return this.#find('format', `line ${this.#lineNumber} follows the end`);
    if (!this.#statement && line.kind !== 'drop') {
      return this.#find('format', `line ${this.#lineNumber} comes before the drop's own`);
    }
    switch (line.kind) {
      case 'drop':
        return this.#takeDrop(line);
      case 'leaves':
        return this.#takeLeaves(line);
      case 'call':
        return this.#takeCall(line);
      case 'end':
        this.#ended = true;
        if (line.leavesCount !== this.#leavesCount || line.callsCount !== this.#callsCount) {
          this.#find('format', 'the last line counts other leaves or calls than came before it');
        }
    }
  }

  end(): Verdict {
    const statement = this.#statement;
    if (!statement) this.#find('format', 'there is no line about the drop');
    else {
      if (!this.#ended) this.#find('format', 'the proof breaks off before its last line');
      this.#checkLanes(statement);
      if (statement.callsHead !== this.#chain || statement.callsCount !== this.#callsCount) {
        this.#find('head', 'the call log does not end where the drop says that it ends');
      }
      if (this.#known.callsHead !== undefined && !this.#sawKnownHead) {
        this.#find('head', `the call log has no entry ${this.#known.callsHead} (any more)`);
      }
    }
    return {
      ok: this.#findings.length === 0,
      findings: this.#findings,
      notes: statement ? notesOn(statement, this.#emptyCount) : [],
      statement,
      leavesCount: this.#leavesCount,
      emptyPlacesCount: this.#emptyCount,
      callsCount: this.#callsCount,
    };
  }

  #find(name: FindingName, what: string): void {
    // A file that is wrong in every line needs no finding for each of them.
    if (this.#findings.length < 100) this.#findings.push({ name, what });
  }

  #takeDrop(line: ProofStatement): void {
    if (this.#statement) return this.#find('format', 'the drop is described twice');
    this.#statement = line;
    this.#findings.push(...checkStatement(line, this.#known));
    this.#chain = callChainStart(line.dropId, line.seedHash);
    this.#sawKnownHead = this.#known.callsHead === this.#chain;
    for (const { lane } of line.lanes) this.#trees.set(lane, new MerkleTree());
  }

  #takeLeaves(line: ProofLine & { kind: 'leaves' }): void {
    const tree = this.#trees.get(line.lane);
    if (!tree)
      return this.#find('leaves', `there are leaves of a lane ${line.lane} that the lobby does not have`);
    const leaves = fromBase64(line.leaves);
    if (!leaves || leaves.length % hashBytes !== 0) {
      return this.#find('format', `line ${this.#lineNumber} has leaves that are not 32 bytes each`);
    }
    if (line.from !== tree.size) {
      this.#find('leaves', `lane ${line.lane} goes on at arrival ${line.from}, where ${tree.size} is next`);
    }
    for (let offset = 0; offset < leaves.length; offset += hashBytes) {
      if (leaves[offset] === 0 && isEmpty(leaves, offset)) this.#emptyCount += 1;
    }
    tree.add(leaves);
    this.#leavesCount += leaves.length / hashBytes;
  }

  #takeCall(line: ProofLine & { kind: 'call' }): void {
    const { seq, lane, from, to, hash } = line;
    if (seq !== this.#callsCount)
      this.#find('calls', `call ${seq} stands where call ${this.#callsCount} is next`);
    if (hash !== callChainHash(this.#chain, line)) {
      this.#find('chain', `call ${seq} does not have the hash that it and the calls before it give`);
    }
    const next = this.#nextRank.get(lane) ?? 0;
    if (from !== next) {
      const how = from > next ? 'passes over' : 'calls again';
      const ranks = from > next ? `${next} to ${from - 1}` : `${from} to ${Math.min(next, to) - 1}`;
      this.#find('calls', `call ${seq} ${how} the ranks ${ranks} of lane ${lane}`);
    }
    if (to <= from) this.#find('calls', `call ${seq} calls nobody`);
    this.#nextRank.set(lane, to);
    this.#chain = hash;
    this.#sawKnownHead ||= hash === this.#known.callsHead;
    this.#callsCount += 1;
  }

  #checkLanes(statement: ProofStatement): void {
    for (const { lane, size, root } of statement.lanes) {
      const tree = this.#trees.get(lane);
      if (!tree) continue;
      if (tree.size !== size) {
        this.#find('leaves', `lane ${lane} was frozen with ${size} tickets, and ${tree.size} are shown`);
      }
      if (toHex(tree.root()) !== root) {
        this.#find('leaves', `the tickets of lane ${lane} do not give the root that was published for it`);
      }
    }
  }
}

/** A ticket as its owner knows it. */
export interface OwnTicket {
  readonly buyerId: string;
  readonly nonce: string;
}

/** Checks that a ticket is in the lobby that was published, and has the rank that follows from what was published. */
export function checkTicket(options: {
  statement: ProofStatement;
  inclusion: Inclusion;
  /** Without it the leaf is taken to be the ticket's own on the engine's word. */
  own?: OwnTicket | undefined;
  known?: Known | undefined;
}): Finding[] {
  const { statement, inclusion, own } = options;
  const findings = checkStatement(statement, options.known);
  const find = (name: FindingName, what: string) => findings.push({ name, what });
  const lane = statement.lanes.find(candidate => candidate.lane === inclusion.lane);
  const size = lane?.size ?? 0;
  const { arrival } = inclusion;
  if (lane && arrival < size) {
    const leaf = fromHex(inclusion.leaf ?? '');
    const path = (inclusion.path ?? []).flatMap(hash => fromHex(hash) ?? []);
    if (!leaf) find('ticket', 'the ticket has no leaf in the lobby');
    else {
      if (own && toHex(ticketLeaf({ dropId: statement.dropId, ...own })) !== toHex(leaf)) {
        find('ticket', `at arrival ${arrival} of lane ${lane.lane} stands another ticket than this buyer's`);
      }
      const root = rootOfPath({ leaf, index: arrival, size, path });
      if (!root || toHex(root) !== lane.root) {
        find('ticket', 'the ticket is not among those whose root was published');
      }
    }
  }
  if (inclusion.rank === undefined) return findings;
  const expected = rankIn(statement, inclusion.lane, arrival);
  if (expected === null) find('rank', 'there is a rank, but no key that it could follow from');
  else if (expected !== inclusion.rank) {
    find('rank', `the ticket is given rank ${inclusion.rank}, and the key gives it rank ${expected}`);
  }
  return findings;
}

/** Null as long as no key is published for a lobby that is shuffled. */
function rankIn(statement: ProofStatement, laneName: string, arrival: number): number | null {
  const { key } = statement;
  const size = statement.lanes.find(candidate => candidate.lane === laneName)?.size ?? 0;
  if (size === 0) return arrival;
  if (key === undefined || fromBase64(key)?.length !== 32) return null;
  return lobbyRanks({ key, lane: laneName, size })(arrival);
}

function isEmpty(leaves: Uint8Array, offset: number): boolean {
  for (let index = offset; index < offset + hashBytes; index += 1) if (leaves[index] !== 0) return false;
  return true;
}

function notesOn(statement: ProofStatement, emptyCount: number): string[] {
  const { mode, root, key, beacon } = statement;
  const notes: string[] = [];
  if (mode === 'fifo') notes.push('The drop calls in order of arrival: there is no lobby to shuffle.');
  else if (root === undefined)
    notes.push('The lobby is not frozen yet: only the seed\u2019s hash is published.');
  else {
    if (key === undefined) notes.push('The drop is not open yet: the key and the seed are not published.');
    notes.push(
      beacon === undefined
        ? 'There is no beacon: whoever knew the seed could compute the key before the freeze, and add or drop tickets until a favoured one stood in front.'
        : `Look up the beacon ${beacon} at its source, and that it was emitted after the freeze${statement.frozenAtMs === undefined ? '' : ` (${new Date(statement.frozenAtMs).toISOString()})`}; give its value with --beacon.`,
      'Tickets that the operator invented show only as numbers: compare the size of the lobby with what you saw.',
    );
  }
  if (emptyCount > 0) notes.push(`${emptyCount} places of the lobby are empty: their tickets were lost.`);
  return notes;
}
