import { useState } from 'react';
import type { DropState } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';
import type { PlaceHandle } from './use-place.ts';
import { readySound } from './your-turn.ts';

/** The way into the queue, with a code for who has one. */
export function JoinForm({ state, handle }: { state: DropState; handle: PlaceHandle }) {
  const { isBusy, join } = handle;
  const [code, setCode] = useState('');
  const label = state === 'lobby' || state === 'scheduled' ? texts.queue.joinLobby : texts.queue.join;
  return (
    <form
      className="join-form"
      onSubmit={event => {
        event.preventDefault();
        readySound();
        join(code.trim() === '' ? undefined : code.trim());
      }}
    >
      <button type="submit" className="button button-wide" disabled={isBusy || state === 'scheduled'}>
        {isBusy ? texts.queue.joining : label}
      </button>
      <details>
        <summary>{texts.queue.code}</summary>
        <label className="field">
          <span>{texts.queue.codeLabel}</span>
          <input
            value={code}
            autoComplete="off"
            autoCapitalize="characters"
            maxLength={64}
            onChange={event => setCode(event.target.value)}
          />
        </label>
        <p className="hint">{texts.queue.codeHint}</p>
      </details>
    </form>
  );
}
