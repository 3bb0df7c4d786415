import { createContext, useContext } from 'react';
import type { Engine } from './engine.ts';

export const EngineContext = createContext<Engine | null>(null);

/** The connection to the engine that the page runs on. */
export function useEngine(): Engine {
  const engine = useContext(EngineContext);
  if (!engine) throw new Error('useEngine is used outside of EngineContext');
  return engine;
}
