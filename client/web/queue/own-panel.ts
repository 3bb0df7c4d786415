// The focus in the visitor's own panel. What has it goes away as one step leads to the next: the button that joined, the
// form that reserved. The next step's heading takes it then, so that who hears the page, or goes through it by keys, is
// where it goes on. Who is elsewhere on the page is left there.
import { createContext, type RefObject, useContext, useEffect, useRef } from 'react';

/** Whether what the visitor did last, they did in the panel. */
export const IsHere = createContext<RefObject<boolean>>({ current: false });

/** For the element around the panel. */
export function useOwnPanel(): { panel: RefObject<HTMLDivElement | null>; isHere: RefObject<boolean> } {
  const panel = useRef<HTMLDivElement>(null);
  const isHere = useRef(false);
  useEffect(() => {
    const hear = ({ target }: Event) => {
      isHere.current = target instanceof Node && panel.current?.contains(target) === true;
    };
    // On some phones what is pressed is not focused.
    for (const act of acts) document.addEventListener(act, hear, true);
    return () => {
      for (const act of acts) document.removeEventListener(act, hear, true);
    };
  }, []);
  return { panel, isHere };
}
const acts = ['focusin', 'pointerdown'] as const;

/** For a step's heading: it takes the focus that the step before has lost. */
export function useStepFocus(step: string): RefObject<HTMLHeadingElement | null> {
  const isHere = useContext(IsHere);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const { activeElement, body } = document;
    if (isHere.current && (activeElement === null || activeElement === body)) heading.current?.focus();
  }, [isHere, step]);
  return heading;
}
