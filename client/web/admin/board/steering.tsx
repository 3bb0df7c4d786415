// What is done to a drop while it runs. Whatever stops a sale asks once and says what follows.
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import type { ApiInputs } from '../../../index.ts';
import { bounds } from '../drops/bounds.ts';
import type { AdminDrop } from '../drops/edit-drop-form.tsx';
import { Ask } from '../parts/ask.tsx';
import { Field, focusFirstProblem } from '../parts/field.tsx';
import { formText } from '../parts/form-text.ts';
import { tell, tellFailure } from '../parts/notices.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';

type Act = 'open' | 'pause' | 'resume' | 'close';

/** What a drop in a state can be asked to do; the server refuses the rest. */
const actsOf: Record<AdminDrop['state'], readonly Act[]> = {
  scheduled: ['open', 'pause', 'close'],
  lobby: ['open', 'pause', 'close'],
  open: ['pause', 'close'],
  paused: ['resume', 'close'],
  'sold-out': ['close'],
  closed: [],
};

export function Steering({
  drop,
  state,
  onSteered,
}: {
  drop: AdminDrop;
  state: AdminDrop['state'];
  onSteered: () => void;
}) {
  const { api } = useStaff();
  const [asked, setAsked] = useState<Act | null>(null);
  const text = words.steer;
  const { dropId } = drop;
  const acts = actsOf[state];
  if (acts.length === 0) return null;
  const questions = {
    open: { title: text.askOpen, text: text.askOpenText },
    pause: { title: text.askPause, text: text.askPauseText },
    resume: { title: text.askResume, text: text.askResumeText },
    close: { title: text.askClose, text: text.askCloseText },
  };
  const run = async (act: Act, form: FormData) => {
    const message = formText(form, 'message');
    const answer = await api.admin.drop[act].mutate({ dropId, ...(message ? { message } : {}) });
    tell(answer.state === 'sold-out' ? text.state(words.states[answer.state]) : text.done[act]);
    onSteered();
  };
  return (
    <section className="steering card" aria-label={text.title}>
      <div className="steer-acts">
        {acts.map(act => (
          <button
            key={act}
            type="button"
            className={`button ${act === 'close' ? 'button-danger-quiet' : act === 'pause' ? 'button-danger' : 'button-live'}`}
            onClick={() => setAsked(act)}
          >
            {text[act]}
          </button>
        ))}
      </div>
      <Throttle key={`${drop.rev}`} drop={drop} onSteered={onSteered} />
      <Message drop={drop} onSteered={onSteered} />
      {asked && (
        <Ask
          {...questions[asked]}
          act={text[asked]}
          isDanger={asked === 'close' || asked === 'pause'}
          onAct={form => run(asked, form)}
          onClose={() => setAsked(null)}
        >
          {(asked === 'pause' || asked === 'close') && (
            <Field name="message" label={text.tell} hint={text.tellHint} isOptional>
              {control => <textarea {...control} rows={2} maxLength={500} />}
            </Field>
          )}
        </Ask>
      )}
    </section>
  );
}

function Throttle({ drop, onSteered }: { drop: AdminDrop; onSteered: () => void }) {
  const { api } = useStaff();
  const form = useRef<HTMLFormElement>(null);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const text = words.form;
  const throttle = useMutation({
    mutationFn: (input: ApiInputs['admin']['drop']['throttle']) => api.admin.drop.throttle.mutate(input),
    onSuccess() {
      tell(words.steer.done.throttle);
      onSteered();
    },
    onError: tellFailure,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const wrong: Record<string, string> = {};
    const number = (name: string, range: { least: number; max: number; isWhole: boolean }) => {
      const given = formText(data, name).replace(',', '.');
      const value = Number(given);
      const isGood = given !== '' && value >= range.least && value <= range.max;
      if (!isGood || (range.isWhole && !Number.isInteger(value)))
        wrong[name] = range.isWhole
          ? text.problems.whole(range.least, range.max)
          : text.problems.number(range.max);
      return value;
    };
    const ratePerSec = number('ratePerSec', { least: 0, max: bounds.ratePerSecMax, isWhole: false });
    const activeMax = number('activeMax', { least: 0, max: bounds.activeMaxCount, isWhole: true });
    setProblems(wrong);
    if (Object.keys(wrong).length > 0) focusFirstProblem(form.current);
    else throttle.mutate({ dropId: drop.dropId, ratePerSec, activeMax });
  };
  return (
    <form ref={form} className="steer-pace" onSubmit={submit} noValidate>
      <Field name="ratePerSec" label={text.ratePerSec} problem={problems['ratePerSec']}>
        {control => (
          <input {...control} inputMode="decimal" autoComplete="off" defaultValue={drop.ratePerSec} />
        )}
      </Field>
      <Field name="activeMax" label={text.activeMax} problem={problems['activeMax']}>
        {control => (
          <input {...control} inputMode="numeric" autoComplete="off" defaultValue={drop.activeMax} />
        )}
      </Field>
      <button type="submit" className="button button-quiet" disabled={throttle.isPending}>
        {words.steer.throttle}
      </button>
    </form>
  );
}

function Message({ drop, onSteered }: { drop: AdminDrop; onSteered: () => void }) {
  const { api } = useStaff();
  const field = useRef<HTMLInputElement>(null);
  const text = words.steer;
  const send = useMutation({
    mutationFn: (message: string) => api.admin.drop.message.mutate({ dropId: drop.dropId, text: message }),
    onSuccess(_answer, message) {
      tell(message === '' ? text.done.cleared : text.done.message);
      if (field.current) field.current.value = '';
      onSteered();
    },
    onError: tellFailure,
  });
  return (
    <form
      className="steer-message"
      onSubmit={event => {
        event.preventDefault();
        const message = field.current?.value.trim() ?? '';
        if (message === '') field.current?.focus();
        else send.mutate(message);
      }}
    >
      {drop.message && (
        <p className="shown-message">
          <span className="figure-hint">{text.shown}</span> {drop.message}{' '}
          <button type="button" className="link" onClick={() => send.mutate('')}>
            {text.clear}
          </button>
        </p>
      )}
      <Field name="message" label={text.message}>
        {control => <input {...control} ref={field} maxLength={500} autoComplete="off" />}
      </Field>
      <button type="submit" className="button button-quiet" disabled={send.isPending}>
        {text.send}
      </button>
    </form>
  );
}
