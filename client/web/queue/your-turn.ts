// Calls a visitor back when their turn has come: the tab's title, a short sound, and a notification where they asked
// for one. Each once for a turn, and only in a tab that is not being looked at anyway, except for the sound.
import { useEffect, useRef } from 'react';
import { wantsSound } from '../engine/kept.ts';
import { useTitleNews } from '../frame/page-title.ts';
import { texts } from '../texts/texts.ts';

let audio: AudioContext | null = null;

/** Browsers let a page sound only after the visitor has done something on it: called by the button that joins. */
export function readySound(): void {
  try {
    audio ??= new AudioContext();
    void audio.resume().catch(() => undefined);
  } catch {
    // No sound here; title and page still tell.
  }
}

const gestures = ['pointerdown', 'keydown'] as const;

/** After a reload nothing has been done on the page yet: whatever the visitor does first gives it its voice back. */
function useReadySound(): void {
  useEffect(() => {
    const hear = () => {
      if (wantsSound()) readySound();
      stop();
    };
    const stop = () => {
      for (const gesture of gestures) window.removeEventListener(gesture, hear);
    };
    for (const gesture of gestures) window.addEventListener(gesture, hear);
    return stop;
  }, []);
}

/** Two soft notes, a fourth apart. */
function chime(): void {
  if (!audio || audio.state !== 'running') return;
  const { currentTime, destination } = audio;
  for (const [place, frequency] of [659.26, 880].entries()) {
    const tone = audio.createOscillator();
    const level = audio.createGain();
    const atSec = currentTime + place * 0.18;
    tone.frequency.value = frequency;
    level.gain.setValueAtTime(0.0001, atSec);
    level.gain.exponentialRampToValueAtTime(0.12, atSec + 0.02);
    level.gain.exponentialRampToValueAtTime(0.0001, atSec + 0.5);
    tone.connect(level).connect(destination);
    tone.start(atSec);
    tone.stop(atSec + 0.55);
  }
}

function notify(dropTitle: string): void {
  if (typeof Notification === 'undefined' || Notification.permission !== 'granted') return;
  if (document.visibilityState === 'visible') return;
  try {
    const shown = new Notification(texts.queue.called.title, {
      body: texts.queue.called.notice(dropTitle),
      tag: 'doorbuster-turn',
    });
    shown.addEventListener('click', () => window.focus());
  } catch {
    // Some phones let only a service worker do this.
  }
}

export function useTurnAlert(turn: { isTurn: boolean; dropTitle: string }): void {
  const { isTurn, dropTitle } = turn;
  useReadySound();
  useTitleNews(isTurn ? texts.queue.called.title : null);
  const told = useRef(false);
  useEffect(() => {
    if (isTurn && !told.current) {
      if (wantsSound()) chime();
      notify(dropTitle);
    }
    told.current = isTurn;
  }, [isTurn, dropTitle]);
}
