// Is a history of one SKU's holds and releases linearizable? That is: is there one order of all operations, each at some
// instant between its call and its answer, in which a plain counter would have given every one of the answers?
//
// The search is Wing and Gong's, with Lowe's memory of what was tried ("Testing for linearizability", 2017), and with
// two things that a counter allows: what is available follows from the set of operations done so far, so the set alone
// is remembered; and a refusal changes nothing, so it is taken as soon as it fits, without trying it later too.

export interface StockOperation {
  /** `took` and `gave` move units off the shelf and back; `refused` found fewer than it asked for. */
  readonly kind: 'took' | 'refused' | 'gave';
  readonly quantity: number;
  /** Instants of one clock; no two of a history are the same. */
  readonly calledAt: number;
  readonly answeredAt: number;
}

/** More than a linearizable history of this engine ever needs: beyond it the answer is unknown, which is an error. */
const statesMax = 5_000_000;

/** Throws where the search gives up. */
export function isLinearizable(total: number, history: readonly StockOperation[]): boolean {
  const operations = history.toSorted((a, b) => a.calledAt - b.calledAt);
  const done = new Uint8Array(operations.length);
  const trail: { chosen: number; untried: number[] }[] = [];
  const seen = new Set<string>();
  let first = 0;
  let available = total;

  const isDone = (index: number) => done[index] === 1;
  const operationAt = (index: number): StockOperation => {
    const operation = operations[index];
    if (!operation) throw new Error('no such operation');
    return operation;
  };
  /** Those that may come next: called before any other that is not done was answered. The soonest answered first. */
  const candidates = (): number[] => {
    let answeredFirst = Infinity;
    const found: number[] = [];
    for (let index = first; index < operations.length; index += 1) {
      const { calledAt, answeredAt } = operationAt(index);
      if (calledAt > answeredFirst) break;
      if (isDone(index)) continue;
      found.push(index);
      answeredFirst = Math.min(answeredFirst, answeredAt);
    }
    return found
      .filter(index => operationAt(index).calledAt < answeredFirst)
      .toSorted((a, b) => operationAt(a).answeredAt - operationAt(b).answeredAt);
  };
  const fits = ({ kind, quantity }: StockOperation): boolean => {
    if (kind === 'took') return available >= quantity;
    return kind === 'refused' ? available < quantity : available + quantity <= total;
  };
  const apply = (index: number, direction: 1 | -1) => {
    const { kind, quantity } = operationAt(index);
    if (kind === 'took') available -= direction * quantity;
    if (kind === 'gave') available += direction * quantity;
    done[index] = direction === 1 ? 1 : 0;
    if (direction === -1) first = Math.min(first, index);
    while (first < operations.length && isDone(first)) first += 1;
  };
  /** What is done, as text: all before `first`, and those few behind it. */
  const stateNow = (): string => {
    let text = String(first);
    let undone = 0;
    // Behind so many that were never reached, nothing is done.
    for (let index = first; index < operations.length && undone < 128; index += 1) {
      if (isDone(index)) text += `,${index - first}`;
      else undone += 1;
    }
    return text;
  };
  const step = (chosen: number, untried: number[]) => {
    trail.push({ chosen, untried });
    apply(chosen, 1);
  };
  /** Takes back the last steps up to one that had another way, and goes that way. False: there is none. */
  const goBack = (): boolean => {
    for (let last = trail.pop(); last; last = trail.pop()) {
      apply(last.chosen, -1);
      const [next, ...untried] = last.untried;
      if (next !== undefined) {
        step(next, untried);
        return true;
      }
    }
    return false;
  };

  while (first < operations.length) {
    const fitting = candidates().filter(index => fits(operationAt(index)));
    const refusal = fitting.find(index => operationAt(index).kind === 'refused');
    const [next, ...untried] = refusal === undefined ? fitting : [refusal];
    const isNew = refusal !== undefined || isUnseen(seen, stateNow());
    if (next !== undefined && isNew) step(next, untried);
    else if (!goBack()) return false;
  }
  return true;
}

function isUnseen(seen: Set<string>, state: string): boolean {
  if (seen.has(state)) return false;
  if (seen.size >= statesMax) throw new Error(`undecided after ${statesMax} states`);
  seen.add(state);
  return true;
}
