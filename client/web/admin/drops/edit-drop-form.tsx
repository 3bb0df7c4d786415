import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, Fragment, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { ApiInputs, ApiOutputs } from '../../../index.ts';
import { Field, focusFirstProblem } from '../parts/field.tsx';
import { FormEnd } from '../parts/form-end.tsx';
import { formText } from '../parts/form-text.ts';
import { tell } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { bounds } from './bounds.ts';
import { botGates } from './drop-form.rules.ts';
import { TermsFields } from './terms-fields.tsx';

export type AdminDrop = ApiOutputs['admin']['drop']['get'];
type Update = ApiInputs['admin']['drop']['update'];

/** What the browser's own field for a date and time takes: local, without a zone. */
export function localTime(atMs: number): string {
  const date = new Date(atMs);
  return new Date(atMs - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

const spans = [
  { name: 'callWindow', setting: 'callWindowMs', range: bounds.callWindowSec },
  { name: 'passTtl', setting: 'passTtlMs', range: bounds.passTtlSec },
  { name: 'holdTtl', setting: 'holdTtlMs', range: bounds.holdTtlSec },
  { name: 'paymentWindow', setting: 'paymentWindowMs', range: bounds.paymentWindowSec },
] as const;

/**
 * What may change of a drop that is made: its title, its end, its limit, its pace, and how many units it has; before it
 * opens also when it does, and the terms that its buyers shop under.
 */
export function EditDropForm({ drop }: { drop: AdminDrop }) {
  const { api } = useStaff();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const form = useRef<HTMLFormElement>(null);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const text = words.form;
  const save = useMutation({
    mutationFn: (input: Update) => api.admin.drop.update.mutate(input),
    async onSuccess() {
      await queries.invalidateQueries();
      tell(words.drops.saved(drop.title));
      go(`/drops/${drop.dropId}`);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const read = readEdit(drop, name => formText(data, name), Date.now());
    setProblems(read.problems);
    if (Object.keys(read.problems).length > 0) focusFirstProblem(form.current);
    else save.mutate(read.input);
  };
  const field = (name: string, label: string, start: string, hint?: string) => (
    <Field name={name} label={label} hint={hint} problem={problems[name]}>
      {control => <input {...control} inputMode="decimal" autoComplete="off" defaultValue={start} />}
    </Field>
  );
  const time = (name: string, label: string, atMs: number, hint: string) => (
    <Field name={name} label={label} hint={hint} problem={problems[name]}>
      {control => <input {...control} type="datetime-local" step="1" defaultValue={localTime(atMs)} />}
    </Field>
  );
  const isBefore = drop.state === 'scheduled' || drop.state === 'lobby';
  return (
    <Page title={words.drops.editTitle(drop.title)}>
      <form ref={form} className="form" onSubmit={submit} noValidate>
        <fieldset className="card form-part">
          <legend>{text.sections.what}</legend>
          <Field name="title" label={text.title} problem={problems['title']}>
            {control => <input {...control} maxLength={200} autoComplete="off" defaultValue={drop.title} />}
          </Field>
          <div className="field-row">
            {isBefore && time('opensAt', text.opensAt, drop.opensAtMs, text.opensAtHint)}
            {drop.state === 'scheduled' &&
              time('lobbyOpensAt', text.lobbyOpensAt, drop.lobbyOpensAtMs, text.opensAtHint)}
            <Field
              name="closesAt"
              label={text.closesAt}
              hint={text.opensAtHint}
              problem={problems['closesAt']}
              isOptional
            >
              {control => (
                <input
                  {...control}
                  type="datetime-local"
                  step="1"
                  defaultValue={drop.closesAtMs === undefined ? '' : localTime(drop.closesAtMs)}
                />
              )}
            </Field>
            {field('perBuyerMax', text.perBuyerMax, String(drop.perBuyerMax))}
          </div>
        </fieldset>
        <fieldset className="card form-part">
          <legend>{text.sections.stock}</legend>
          {drop.items.map((item, index) => (
            <div key={item.sku} className="item-row item-row-edit">
              <p className="item-name">
                <strong>{item.title}</strong>
                <span className="field-hint">
                  {item.sku} · {text.inStock(item.total, item.withdrawn)}
                </span>
              </p>
              {field(`add-${index}`, text.addUnits, '')}
              {field(`withdraw-${index}`, text.withdrawUnits, '')}
            </div>
          ))}
        </fieldset>
        <fieldset className="card form-part">
          <legend>{text.sections.pace}</legend>
          <div className="field-row">
            {field('ratePerSec', text.ratePerSec, String(drop.ratePerSec), text.ratePerSecHint)}
            {field('activeMax', text.activeMax, String(drop.activeMax), text.activeMaxHint)}
          </div>
        </fieldset>
        {isBefore && (
          <fieldset className="card form-part">
            <legend>{text.sections.terms}</legend>
            <p className="field-hint">{text.termsHint}</p>
            <div className="field-row">
              {spans.map(({ name, setting }) => (
                <Fragment key={name}>{field(name, text[name], String(drop[setting] / 1_000))}</Fragment>
              ))}
            </div>
            <TermsFields drop={drop} />
          </fieldset>
        )}
        <FormEnd
          sending={save}
          problem={problems['']}
          backTo={`/drops/${drop.dropId}`}
          submit={text.submitEdit}
        />
      </form>
    </Page>
  );
}

/** Only what differs is sent, so that what somebody else changed meanwhile stays. */
function readEdit(
  drop: AdminDrop,
  text: (name: string) => string,
  nowMs: number,
): { input: Update; problems: Record<string, string> } {
  const say = words.form.problems;
  const problems: Record<string, string> = {};
  const input: Update = { dropId: drop.dropId };
  const number = (
    name: string,
    range: { min: number; max: number; isWhole: boolean },
  ): number | undefined => {
    const value = Number(text(name).replace(',', '.'));
    const isGood = text(name) !== '' && value >= range.min && value <= range.max;
    if (isGood && (!range.isWhole || Number.isInteger(value))) return value;
    problems[name] = range.isWhole ? say.whole(range.min, range.max) : say.number(range.max);
    return undefined;
  };
  if (text('title') === '') problems['title'] = say.required;
  else if (text('title') !== drop.title) input.title = text('title');
  const isBefore = drop.state === 'scheduled' || drop.state === 'lobby';
  /** Seconds are all that the field shows: a time that was left as it stood there is no change. */
  const time = (name: 'opensAt' | 'lobbyOpensAt', beforeMs: number): number => {
    if (text(name) === localTime(beforeMs)) return beforeMs;
    const atMs = new Date(text(name)).getTime();
    if (!Number.isFinite(atMs)) problems[name] = say.time;
    return atMs;
  };
  const opensAtMs = isBefore ? time('opensAt', drop.opensAtMs) : drop.opensAtMs;
  if (isBefore) {
    const lobbyOpensAtMs =
      drop.state === 'scheduled' ? time('lobbyOpensAt', drop.lobbyOpensAtMs) : drop.lobbyOpensAtMs;
    if (opensAtMs !== drop.opensAtMs) {
      if (opensAtMs <= nowMs) problems['opensAt'] = say.past;
      input.opensAtMs = opensAtMs;
    }
    if (lobbyOpensAtMs > opensAtMs) problems['lobbyOpensAt'] = say.lobbyAfter;
    else if (lobbyOpensAtMs !== drop.lobbyOpensAtMs) input.lobbyOpensAtMs = lobbyOpensAtMs;
    for (const { name, setting, range } of spans) {
      const sec = number(name, { ...range, isWhole: true });
      if (sec !== undefined && sec * 1_000 !== drop[setting]) input[setting] = sec * 1_000;
    }
    const botGate = botGates.find(each => each === text('botGate'));
    if (botGate && botGate !== drop.botGate) input.botGate = botGate;
    const delayedMethods = text('delayedMethods') !== '';
    if (delayedMethods !== drop.delayedMethods) input.delayedMethods = delayedMethods;
  }
  if (text('closesAt') !== '') {
    const closesAtMs = new Date(text('closesAt')).getTime();
    const before = drop.closesAtMs === undefined ? '' : localTime(drop.closesAtMs);
    if (!Number.isFinite(closesAtMs)) problems['closesAt'] = say.time;
    else if (closesAtMs <= opensAtMs) problems['closesAt'] = say.closesBefore;
    else if (text('closesAt') !== before) input.closesAtMs = closesAtMs;
  }
  const perBuyerMax = number('perBuyerMax', { min: 1, max: bounds.perBuyerMaxCount, isWhole: true });
  if (perBuyerMax !== undefined && perBuyerMax !== drop.perBuyerMax) input.perBuyerMax = perBuyerMax;
  const ratePerSec = number('ratePerSec', { min: 0, max: bounds.ratePerSecMax, isWhole: false });
  if (ratePerSec !== undefined && ratePerSec !== drop.ratePerSec) input.ratePerSec = ratePerSec;
  const activeMax = number('activeMax', { min: 0, max: bounds.activeMaxCount, isWhole: true });
  if (activeMax !== undefined && activeMax !== drop.activeMax) input.activeMax = activeMax;

  const units = (name: string, max: number) =>
    text(name) === '' ? undefined : number(name, { min: 1, max, isWhole: true });
  const items = drop.items.flatMap(({ sku, total, withdrawn }, index) => {
    const addUnits = units(`add-${index}`, bounds.dropUnitsCount);
    const withdrawUnits = units(`withdraw-${index}`, total - withdrawn + (addUnits ?? 0));
    if (addUnits === undefined && withdrawUnits === undefined) return [];
    return [{ sku, ...(addUnits ? { addUnits } : {}), ...(withdrawUnits ? { withdrawUnits } : {}) }];
  });
  if (items.length > 0) input.items = items;
  if (Object.keys(problems).length === 0 && Object.keys(input).length === 1) problems[''] = say.nothing;
  return { input, problems };
}
