import type { DropState } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';

export function StateBadge({ state }: { state: DropState }) {
  return (
    <span className={`state-badge state-${state}`}>
      <span className="state-dot" aria-hidden="true" />
      {texts.drops.state[state]}
    </span>
  );
}
