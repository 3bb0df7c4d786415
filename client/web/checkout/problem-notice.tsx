import { useEffect, useRef } from 'react';

/** Why a step did not lead on. It comes into view: the button that was pressed may be a screen below it. */
export function ProblemNotice({ problem }: { problem: string | null }) {
  const notice = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (problem !== null) notice.current?.scrollIntoView({ block: 'center' });
  }, [problem]);
  if (problem === null) return null;
  return (
    <p ref={notice} className="notice notice-alarm" role="alert">
      {problem}
    </p>
  );
}
