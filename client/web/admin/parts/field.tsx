// One field of a form: its name, what it is for, and what is wrong with it, said to everybody alike.
import { type ReactElement, useId } from 'react';
import { words } from '../texts/texts.ts';

export interface ControlProps {
  readonly id: string;
  readonly name: string;
  readonly 'aria-invalid'?: true;
  readonly 'aria-describedby'?: string;
}

export function Field({
  name,
  label,
  hint,
  problem,
  isOptional = false,
  children,
}: {
  name: string;
  label: string;
  hint?: string | undefined;
  problem?: string | undefined;
  isOptional?: boolean;
  children: (control: ControlProps) => ReactElement;
}) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', problem ? `${id}-problem` : ''].filter(Boolean).join(' ');
  return (
    <div className={`field ${problem ? 'field-wrong' : ''}`}>
      <label htmlFor={id}>
        {label}
        {isOptional && <span className="field-optional"> · {words.optional}</span>}
      </label>
      {children({
        id,
        name,
        ...(problem ? { 'aria-invalid': true } : {}),
        ...(described ? { 'aria-describedby': described } : {}),
      })}
      {hint && (
        <p id={`${id}-hint`} className="field-hint">
          {hint}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} className="field-problem">
          {problem}
        </p>
      )}
    </div>
  );
}

/** Brings who wrote it to the first field that is wrong. */
export function focusFirstProblem(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}
