// Loaded with --import before a server: whoever asks for the store of holds is given the unsafe one. The negative
// control of the drill and of the limit for each buyer; nothing else may use it. The rates of a buyer are lifted, since
// they would keep nearly all of a thousand attempts from ever reaching the stock.
import { registerHooks } from 'node:module';
import { limits } from '../../../server/limits.ts';

Object.assign(limits, { holdsPerBuyerPerMin: 1_000_000, writesPerBuyerPerMin: 1_000_000 });

const safe = new URL('../../../server/inventory/holds.store.ts', import.meta.url).href;
const unsafe = new URL('./unsafe-holds.store.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    return resolved.url === safe && context.parentURL !== unsafe ? { ...resolved, url: unsafe } : resolved;
  },
});
