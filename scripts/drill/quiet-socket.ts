// A buyer's socket that hands on only a part of `drop.watch` while its buyer waits. Every message still comes over the
// wire and is read, so the server has its whole work; but one process plays thousands of buyers, who would otherwise do
// nothing but parse four ticks a second each, and the machine would measure them and not the engine. For the same reason
// it is a socket of `ws`: the platform's own brings a connection pool along, each.
import { WebSocket as LeanSocket } from 'ws';

/** While a buyer waits, this often is as good as every tick: nothing that they do depends on it. */
const tickEveryMs = 4_000;
/** How a message of `drop.watch` begins. Were that to change, nothing would be held back, and the drill be slower. */
const tickHead = /^\{"id":\d+,"result":\{"type":"data","data":\{"id":"[^"]{1,40}","data":\{"state":/;
const tickHeadChars = 120;

/** A class of sockets for one buyer; `attention` says whether they need to see everything now. */
export function quietSockets(attention: { readonly isShopping: boolean }): typeof WebSocket {
  let handedOnAtMs = 0;
  const isHeldBack = (data: unknown): boolean => {
    if (attention.isShopping || !Buffer.isBuffer(data)) return false;
    if (!tickHead.test(data.toString('latin1', 0, tickHeadChars))) return false;
    const nowMs = performance.now();
    if (nowMs - handedOnAtMs < tickEveryMs) return true;
    handedOnAtMs = nowMs;
    return false;
  };
  class QuietSocket extends LeanSocket {
    constructor(url: string | URL) {
      super(url, { perMessageDeflate: false });
      // That it failed, its close says; an error that nobody listens to would end the drill.
      this.on('error', () => undefined);
    }
    override emit(name: string | symbol, ...values: unknown[]): boolean {
      if (name === 'message' && isHeldBack(values[0])) return true;
      return super.emit(name, ...values);
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
