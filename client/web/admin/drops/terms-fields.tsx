import { Field } from '../parts/field.tsx';
import { words } from '../texts/texts.ts';
import type { AdminDrop } from './edit-drop-form.tsx';
import { botGates } from './drop-form.rules.ts';

/** Whom a drop lets in, and with what they may pay: the same two fields where it is made and where it is changed. */
export function TermsFields({ drop }: { drop?: Pick<AdminDrop, 'botGate' | 'delayedMethods'> }) {
  const text = words.form;
  return (
    <>
      <Field name="botGate" label={text.botGate}>
        {control => (
          <select {...control} defaultValue={drop?.botGate ?? 'off'}>
            {botGates.map(gate => (
              <option key={gate} value={gate}>
                {text.botGates[gate]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <label className="choice">
        <input
          type="checkbox"
          name="delayedMethods"
          value="yes"
          defaultChecked={drop?.delayedMethods ?? false}
        />
        <span>
          <strong>{text.delayedMethods}</strong>
          <span className="field-hint">{text.delayedMethodsHint}</span>
        </span>
      </label>
    </>
  );
}
