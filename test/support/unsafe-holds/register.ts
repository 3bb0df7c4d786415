// Loaded with --import before a server: whoever asks for the store of holds is given the unsafe one. The negative
// control of the drill; nothing else may use it.
import { registerHooks } from 'node:module';

const safe = new URL('../../../server/inventory/holds.store.ts', import.meta.url).href;
const unsafe = new URL('./unsafe-holds.store.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    return resolved.url === safe && context.parentURL !== unsafe ? { ...resolved, url: unsafe } : resolved;
  },
});
