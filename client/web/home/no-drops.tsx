import { texts } from '../texts/texts.ts';

/** The door, closed: there is nothing on sale, or it is not known yet, with what keeps it from being known. */
export function NoDrops({ isLoading, problem }: { isLoading: boolean; problem: string | null }) {
  return (
    <section className="board no-drops" aria-busy={isLoading}>
      <svg viewBox="0 0 96 96" aria-hidden="true">
        <path d="M28 84V14h40v70" className="no-drops-frame" />
        <path d="M34 84V20h28v64" className="no-drops-door" />
        <circle cx="56" cy="53" r="2.5" className="no-drops-knob" />
        <path d="M12 84h72" className="no-drops-frame" />
      </svg>
      {isLoading ? (
        <p role="status">{problem ?? texts.drops.loading}</p>
      ) : (
        <div>
          <h1>{texts.drops.none}</h1>
          <p>{texts.drops.noneHint}</p>
        </div>
      )}
    </section>
  );
}
