import { useState } from 'react';
import { keepSound, wantsSound } from '../engine/kept.ts';
import { texts } from '../texts/texts.ts';

type Allowed = NotificationPermission | 'unknown';

/** How a visitor who waits wants to be told of their turn. */
export function TurnAlerts() {
  const [sound, setSound] = useState(wantsSound);
  const [allowed, setAllowed] = useState<Allowed>(() =>
    typeof Notification === 'undefined' ? 'unknown' : Notification.permission,
  );
  const words = texts.queue.alerts;
  return (
    <details className="turn-alerts">
      <summary>{words.title}</summary>
      <p className="hint">{words.text}</p>
      <label className="check">
        <input
          type="checkbox"
          checked={sound}
          onChange={event => {
            setSound(event.target.checked);
            keepSound(event.target.checked);
          }}
        />
        <span>{words.sound}</span>
      </label>
      {allowed === 'default' && (
        <button
          type="button"
          className="button button-quiet"
          onClick={() => {
            const ask = async () => setAllowed(await Notification.requestPermission());
            void ask();
          }}
        >
          {words.notify}
        </button>
      )}
      {allowed === 'granted' && <p className="hint">{words.notified}</p>}
      {allowed === 'denied' && <p className="hint">{words.refused}</p>}
    </details>
  );
}
