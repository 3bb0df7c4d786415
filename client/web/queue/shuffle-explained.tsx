import { texts } from '../texts/texts.ts';

/** What happens at the opening of a lobby, in four steps. */
export function ShuffleExplained() {
  const { title, steps } = texts.queue.shuffle;
  return (
    <details className="shuffle-explained">
      <summary>{title}</summary>
      <ol>
        {steps.map(step => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    </details>
  );
}
