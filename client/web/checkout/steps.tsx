import { texts } from '../texts/texts.ts';

type StepName = keyof typeof texts.checkout.steps;
const names: readonly StepName[] = ['choose', 'details', 'pay', 'done'];

/** Where in the checkout the buyer is. */
export function Steps({ current }: { current: StepName }) {
  const reached = names.indexOf(current);
  return (
    <ol className="steps">
      {names.map((name, place) => (
        <li
          key={name}
          className={place <= reached ? 'steps-reached' : ''}
          aria-current={name === current ? 'step' : undefined}
        >
          {texts.checkout.steps[name]}
        </li>
      ))}
    </ol>
  );
}
