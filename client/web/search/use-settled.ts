import { useEffect, useRef, useState } from 'react';

/** Between two keystrokes of a quick typist: one question for a word, not one for each letter. */
const settleMs = 120;

/** What is asked once it has stood still for a moment; compared as JSON. */
export function useSettled<T>(value: T): { value: T; isSettled: boolean } {
  const [settled, setSettled] = useState(value);
  const latest = useRef(value);
  latest.current = value;
  const text = JSON.stringify(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(latest.current), settleMs);
    return () => window.clearTimeout(timer);
  }, [text]);
  return { value: settled, isSettled: JSON.stringify(settled) === text };
}
