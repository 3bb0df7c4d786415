// Makes a drop, and changes one: what may still change of it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { minorPerMajorOf } from '../../format/money.ts';
import { Field, focusFirstProblem } from '../parts/field.tsx';
import { FormEnd } from '../parts/form-end.tsx';
import { formTexts } from '../parts/form-text.ts';
import { tell } from '../parts/notices.tsx';
import { Awaited, heldStill, Page } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { bounds } from './bounds.ts';
import { modes, readDropForm, type Problem, type Problems } from './drop-form.rules.ts';
import { EditDropForm } from './edit-drop-form.tsx';
import { TermsFields } from './terms-fields.tsx';

/** What is wrong, in words. */
export function sayProblem(problem: Problem | undefined): string | undefined {
  if (!problem) return undefined;
  const say = words.form.problems;
  switch (problem.kind) {
    case 'whole':
      return say.whole(problem.min, problem.max);
    case 'number':
      return say.number(problem.max);
    case 'units':
      return say.units(problem.max);
    case 'code':
      return say.code(problem.line);
    case 'codeTwice':
      return say.codeTwice(problem.line);
    default:
      return say[problem.kind];
  }
}

interface ItemTexts {
  readonly key: number;
  readonly sku: string;
  readonly units: string;
  readonly price: string;
  readonly fallBy?: string;
  readonly fallEvery?: string;
  readonly fallTo?: string;
}

const fallingFields = ['fallBy', 'fallEvery', 'fallTo'] as const;

/** Nothing that was filled in, or is wrong, is hidden. */
function isFalling(item: ItemTexts, index: number, problems: Problems): boolean {
  return fallingFields.some(name => Boolean(item[name]) || problems[`${name}-${index}`] !== undefined);
}

export function NewDrop() {
  const { api } = useStaff();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const form = useRef<HTMLFormElement>(null);
  const [problems, setProblems] = useState<Problems>({});
  const [items, setItems] = useState<readonly ItemTexts[]>([{ key: 0, sku: '', units: '', price: '' }]);
  // What can be offered: the first products of the catalog. Any other SKU may be typed.
  const known = useQuery({
    queryKey: ['skus'],
    queryFn: () => api.admin.product.list.query({ limit: 100 }),
    staleTime: 60_000,
  });
  const create = useMutation({
    mutationFn: (input: Parameters<typeof api.admin.drop.create.mutate>[0]) =>
      api.admin.drop.create.mutate(input),
    async onSuccess({ dropId }, { title }) {
      await queries.invalidateQueries({ queryKey: ['drops'] });
      tell(words.drops.created(title));
      go(`/drops/${dropId}`);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = formTexts(new FormData(event.currentTarget));
    const read = readDropForm({ fields, items }, { nowMs: Date.now(), minorPerMajor: minorPerMajorOf });
    setProblems(read.kind === 'wrong' ? read.problems : {});
    if (read.kind === 'wrong') focusFirstProblem(form.current);
    else create.mutate(read.input);
  };
  const wrongCount = Object.keys(problems).length;
  const wrong = (name: string) => sayProblem(problems[name]);
  const change = (key: number, part: Partial<ItemTexts>) =>
    setItems(all => all.map(item => (item.key === key ? { ...item, ...part } : item)));
  const text = words.form;
  const number = (
    name: string,
    label: string,
    options: { hint?: string; isOptional?: boolean; start?: string } = {},
  ) => (
    <Field
      name={name}
      label={label}
      hint={options.hint}
      problem={wrong(name)}
      isOptional={options.isOptional ?? false}
    >
      {control => (
        <input {...control} inputMode="decimal" autoComplete="off" defaultValue={options.start ?? ''} />
      )}
    </Field>
  );
  const span = (name: string, label: string, range: { default: number }) =>
    number(name, label, { hint: text.secondsHint(range.default), isOptional: true });
  return (
    <Page title={words.drops.createTitle}>
      <form ref={form} className="form" onSubmit={submit} noValidate>
        <fieldset className="card form-part">
          <legend>{text.sections.what}</legend>
          <Field name="title" label={text.title} problem={wrong('title')}>
            {control => <input {...control} maxLength={200} autoComplete="off" />}
          </Field>
          <div className="choices" role="radiogroup" aria-label={text.mode}>
            <p className="field-label">{text.mode}</p>
            {modes.map(mode => (
              <label key={mode} className="choice">
                <input type="radio" name="mode" value={mode} defaultChecked={mode === 'shuffle'} />
                <span>
                  <strong>{text.modes[mode][0]}</strong>
                  <span className="field-hint">{text.modes[mode][1]}</span>
                </span>
              </label>
            ))}
          </div>
          <div className="field-row">
            <Field name="opensAt" label={text.opensAt} hint={text.opensAtHint} problem={wrong('opensAt')}>
              {control => <input {...control} type="datetime-local" step="1" />}
            </Field>
            <Field
              name="lobbyOpensAt"
              label={text.lobbyOpensAt}
              hint={text.lobbyHint}
              problem={wrong('lobbyOpensAt')}
              isOptional
            >
              {control => <input {...control} type="datetime-local" step="1" />}
            </Field>
            <Field
              name="closesAt"
              label={text.closesAt}
              hint={text.closesHint}
              problem={wrong('closesAt')}
              isOptional
            >
              {control => <input {...control} type="datetime-local" step="1" />}
            </Field>
          </div>
        </fieldset>

        <fieldset className="card form-part">
          <legend>{text.sections.stock}</legend>
          <datalist id="known-skus">
            {known.data?.items.flatMap(product =>
              product.variants.map(variant => (
                <option key={variant.sku} value={variant.sku}>
                  {variant.title ? `${product.title} – ${variant.title}` : product.title}
                </option>
              )),
            )}
          </datalist>
          {items.map((item, index) => (
            <div key={item.key} className="item-row">
              <Field name={`sku-${index}`} label={text.sku} problem={wrong(`sku-${index}`)}>
                {control => (
                  <input
                    {...control}
                    list="known-skus"
                    autoComplete="off"
                    spellCheck={false}
                    value={item.sku}
                    onChange={event => change(item.key, { sku: event.target.value })}
                  />
                )}
              </Field>
              <Field name={`units-${index}`} label={text.units} problem={wrong(`units-${index}`)}>
                {control => (
                  <input
                    {...control}
                    inputMode="numeric"
                    autoComplete="off"
                    value={item.units}
                    onChange={event => change(item.key, { units: event.target.value })}
                  />
                )}
              </Field>
              <Field
                name={`price-${index}`}
                label={text.price}
                hint={text.priceHint}
                problem={wrong(`price-${index}`)}
                isOptional
              >
                {control => (
                  <input
                    {...control}
                    inputMode="decimal"
                    autoComplete="off"
                    value={item.price}
                    onChange={event => change(item.key, { price: event.target.value })}
                  />
                )}
              </Field>
              {items.length > 1 && (
                <button
                  type="button"
                  className="button button-quiet"
                  aria-label={text.removeItem(item.sku)}
                  onClick={() => setItems(all => all.filter(({ key }) => key !== item.key))}
                >
                  ×
                </button>
              )}
              <details className="item-falling" open={isFalling(item, index, problems) || undefined}>
                <summary>{text.falling}</summary>
                <div className="field-row">
                  {fallingFields.map(name => (
                    <Field
                      key={name}
                      name={`${name}-${index}`}
                      label={text[name]}
                      {...(name === 'fallBy' ? {} : { hint: text[`${name}Hint`] })}
                      problem={wrong(`${name}-${index}`)}
                      isOptional
                    >
                      {control => (
                        <input
                          {...control}
                          inputMode={name === 'fallEvery' ? 'numeric' : 'decimal'}
                          autoComplete="off"
                          value={item[name] ?? ''}
                          onChange={event => change(item.key, { [name]: event.target.value })}
                        />
                      )}
                    </Field>
                  ))}
                </div>
              </details>
            </div>
          ))}
          <div className="field-row">
            <button
              type="button"
              className="button button-quiet"
              onClick={() =>
                setItems(all => [...all, { key: (all.at(-1)?.key ?? 0) + 1, sku: '', units: '', price: '' }])
              }
            >
              {text.addItem}
            </button>
            {items.some(
              ({ price, fallBy = '', fallTo = '' }) => `${price}${fallBy}${fallTo}`.trim() !== '',
            ) && (
              <Field name="currency" label={text.currency} problem={wrong('currency')}>
                {control => <input {...control} maxLength={3} defaultValue="EUR" autoComplete="off" />}
              </Field>
            )}
          </div>
          {number('perBuyerMax', text.perBuyerMax, { start: '2' })}
        </fieldset>

        <fieldset className="card form-part">
          <legend>{text.sections.pace}</legend>
          <div className="field-row">
            {number('ratePerSec', text.ratePerSec, { hint: text.ratePerSecHint, start: '10' })}
            {number('activeMax', text.activeMax, { hint: text.activeMaxHint, start: '200' })}
            {number('paymentsPerSec', text.paymentsPerSec, {
              hint: text.paymentsPerSecHint,
              isOptional: true,
            })}
          </div>
        </fieldset>

        <details className="card form-part">
          <summary>{text.sections.more}</summary>
          <div className="field-row">
            {span('callWindow', text.callWindow, bounds.callWindowSec)}
            {span('passTtl', text.passTtl, bounds.passTtlSec)}
            {span('holdTtl', text.holdTtl, bounds.holdTtlSec)}
            {span('paymentWindow', text.paymentWindow, bounds.paymentWindowSec)}
          </div>
          {number('perCardMax', text.perCardMax, { hint: text.perCardMaxHint, isOptional: true })}
          <TermsFields />
          <Field name="codes" label={text.codes} hint={text.codesHint} problem={wrong('codes')} isOptional>
            {control => <textarea {...control} rows={4} spellCheck={false} />}
          </Field>
          <Field
            name="beacon"
            label={text.beacon}
            hint={text.beaconHint}
            problem={wrong('beacon')}
            isOptional
          >
            {control => <input {...control} autoComplete="off" spellCheck={false} />}
          </Field>
        </details>

        <FormEnd
          sending={create}
          problem={wrongCount > 0 ? text.check(wrongCount) : undefined}
          backTo="/drops"
          submit={text.submitCreate}
        />
      </form>
    </Page>
  );
}

export function EditDrop({ dropId }: { dropId: string }) {
  const { api } = useStaff();
  const drop = useQuery({
    queryKey: ['drop', dropId],
    queryFn: () => api.admin.drop.get.query({ dropId }),
    ...heldStill,
  });
  if (!drop.data) return <Awaited query={drop} title={words.drops.edit} />;
  return <EditDropForm key={drop.data.rev} drop={drop.data} />;
}
