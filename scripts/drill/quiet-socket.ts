// A buyer's socket that hands on only a part of `drop.watch` while its buyer waits. Every message still comes over the
// wire and is read, so the server has its whole work; but one process plays thousands of buyers, who would otherwise do
// nothing but parse four ticks a second each, and the machine would measure them and not the engine.

/** While a buyer waits, this often is as good as every tick: nothing that they do depends on it. */
const tickEveryMs = 4_000;
/** How a message of `drop.watch` begins. Were that to change, nothing would be held back, and the drill be slower. */
const tickHead = /^\{"id":\d+,"result":\{"type":"data","data":\{"id":"[^"]{1,40}","data":\{"state":/;

/** A class of sockets for one buyer; `attention` says whether they need to see everything now. */
export function quietSockets(attention: { readonly isShopping: boolean }): typeof WebSocket {
  let handedOnAtMs = 0;
  const isHeldBack = (data: unknown): boolean => {
    if (attention.isShopping || typeof data !== 'string' || !tickHead.test(data)) return false;
    const nowMs = performance.now();
    if (nowMs - handedOnAtMs < tickEveryMs) return true;
    handedOnAtMs = nowMs;
    return false;
  };
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      // First of its listeners: what it stops, no other sees.
      this.addEventListener('message', event => {
        if (isHeldBack(event.data)) event.stopImmediatePropagation();
      });
    }
  };
}
