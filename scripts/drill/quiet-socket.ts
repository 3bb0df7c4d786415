// A buyer's socket that hands on only a part of `drop.watch` while its buyer waits. Every message still comes over the
// wire and is read, so the server has its whole work; but one process plays thousands of buyers, who would otherwise do
// nothing but parse four ticks a second each, and the machine would measure them and not the engine. For the same reason
// it is a socket of `ws`: the platform's own brings a connection pool along, each; and for the same reason a waiting
// buyer takes a moment to act on the end of the sale. When they heard of it is when it arrived.
import { WebSocket as LeanSocket } from 'ws';

/**
 * While a buyer waits, about this often is as good as every tick: nothing that they do depends on it. Each wait is drawn
 * from half of it to half as much again, or the opening would set thousands of buyers in step for the rest of the drop.
 */
const tickEveryMs = 4_000;
/** How a message of `drop.watch` begins. Were that to change, nothing would be held back, and the drill be slower. */
const tickHead = /^\{"id":\d+,"result":\{"type":"data","data":\{"id":"[^"]{1,40}","data":\{"state":/;
/** How `queue.watch` says the end of the sale. Were that to change, the buyer would react at once, and be heard late. */
const endHead = /^\{"id":\d+,"result":\{"type":"data","data":\{"id":"[^"]{1,60}","data":\{"kind":"sold-out"/;
const headChars = 160;
/** Over so long those who were told of the end act on it. */
const reactWithinMs = 2_000;

/** What a buyer attends to. */
export interface Attention {
  /** They need to see everything now. */
  isShopping: boolean;
  /** Called as a socket opens, the first one too. */
  readonly open?: (() => void) | undefined;
  /** Called as the message arrives that all is sold. */
  hearEnd: () => void;
}

/** A class of sockets for one buyer. */
export function quietSockets(attention: Attention): typeof WebSocket {
  let nextAtMs = 0;
  const isHeldBack = (data: unknown): boolean => {
    if (attention.isShopping || !Buffer.isBuffer(data)) return false;
    if (!tickHead.test(data.toString('latin1', 0, headChars))) return false;
    const nowMs = performance.now();
    if (nowMs < nextAtMs) return true;
    nextAtMs = nowMs + tickEveryMs * (0.5 + Math.random());
    return false;
  };
  const saysEnd = (data: unknown): boolean =>
    !attention.isShopping && Buffer.isBuffer(data) && endHead.test(data.toString('latin1', 0, headChars));
  class QuietSocket extends LeanSocket {
    constructor(url: string | URL) {
      super(url, { perMessageDeflate: false });
      // That it failed, its close says; an error that nobody listens to would end the drill.
      this.on('error', () => undefined);
      if (attention.open) this.on('open', attention.open);
    }
    override emit(name: string | symbol, ...values: unknown[]): boolean {
      if (name !== 'message') return super.emit(name, ...values);
      if (isHeldBack(values[0])) return true;
      if (!saysEnd(values[0])) return super.emit(name, ...values);
      attention.hearEnd();
      setTimeout(() => super.emit(name, ...values), reactWithinMs * Math.random());
      return true;
    }
  }
  const made: unknown = QuietSocket;
  if (!isSocketClass(made)) throw new Error('the sockets of ws are not those of the platform any more');
  return made;
}

/** Whether it has what `@trpc/client` uses of the platform's class. */
function isSocketClass(candidate: unknown): candidate is typeof WebSocket {
  if (typeof candidate !== 'function' || !('OPEN' in candidate)) return false;
  const prototype: unknown = candidate.prototype;
  if (typeof prototype !== 'object' || prototype === null) return false;
  return 'addEventListener' in prototype && 'send' in prototype && 'close' in prototype;
}
