import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { ApiInputs, ApiOutputs } from '../../../index.ts';
import { minorPerMajorOf } from '../../format/money.ts';
import { majorOf } from '../drops/drop-form.rules.ts';
import { Ask } from '../parts/ask.tsx';
import { Field, focusFirstProblem } from '../parts/field.tsx';
import { FormEnd } from '../parts/form-end.tsx';
import { formTexts } from '../parts/form-text.ts';
import { tell, tellBad } from '../parts/notices.tsx';
import { Awaited, heldStill, Page } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { type PriceProblems, readGroupForm } from './price-forms.rules.ts';
import { sayPriceProblem } from './say-price-problem.ts';

type Group = ApiOutputs['admin']['group']['list']['items'][number];
type Put = ApiInputs['admin']['group']['put'];

/** A group to be made where `name` is null. */
export function GroupEditor({ name }: { name: string | null }) {
  const { api } = useStaff();
  // Of its own: the list's may be asked for again at any time, and would replace what somebody writes.
  const groups = useQuery({
    queryKey: ['groups', 'edited'],
    queryFn: () => api.admin.group.list.query(),
    staleTime: 0,
    ...heldStill,
  });
  const text = words.prices;
  if (!groups.data || groups.isFetching) return <Awaited query={groups} title={text.groups} />;
  const { items } = groups.data;
  if (name === null) return <GroupForm group={null} others={new Set(items.map(each => each.group))} />;
  const group = items.find(each => each.group === name);
  if (group) return <GroupForm group={group} others={new Set()} />;
  return (
    <Page title={text.groups}>
      <p className="notice">{text.noSuchGroup(name)}</p>
    </Page>
  );
}

function GroupForm({ group, others }: { group: Group | null; others: ReadonlySet<string> }) {
  const { api, may } = useStaff();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const form = useRef<HTMLFormElement>(null);
  const [problems, setProblems] = useState<PriceProblems>({});
  const [isAsked, setAsked] = useState(false);
  const text = words.prices;
  const isFrozen = !may('admin');
  const title = group ? (group.title ?? group.group) : text.newGroup;
  const leave = async (said: string) => {
    tell(said);
    await queries.invalidateQueries({ queryKey: ['groups'], exact: true });
    go('/prices');
  };
  const save = useMutation({
    mutationFn: (input: Put) => api.admin.group.put.mutate(input),
    async onSuccess({ kind }, input) {
      if (kind === 'full') tellBad(text.fullGroups);
      else await leave(text.groupSaved(input.title ?? input.group));
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = formTexts(new FormData(event.currentTarget));
    const read = readGroupForm(
      { ...fields, ...(group ? { group: group.group } : {}) },
      { others, minorPerMajor: minorPerMajorOf },
    );
    setProblems(read.kind === 'wrong' ? read.problems : {});
    if (read.kind === 'wrong') focusFirstProblem(form.current);
    else save.mutate(read.input);
  };
  const problem = (name: string) => sayPriceProblem(problems[name]);
  return (
    <Page
      title={title}
      acts={
        group &&
        !isFrozen && (
          <button type="button" className="button button-danger-quiet" onClick={() => setAsked(true)}>
            {text.remove}
          </button>
        )
      }
    >
      <form ref={form} className="form" onSubmit={submit} noValidate>
        <fieldset className="card form-part" disabled={isFrozen}>
          {group ? (
            <p className="hint">
              <code>{group.group}</code>
            </p>
          ) : (
            <Field name="group" label={text.groupName} hint={text.groupNameHint} problem={problem('group')}>
              {control => <input {...control} maxLength={30} autoComplete="off" spellCheck={false} />}
            </Field>
          )}
          <Field name="title" label={words.form.title} hint={text.groupTitleHint} isOptional>
            {control => (
              <input {...control} maxLength={80} autoComplete="off" defaultValue={group?.title ?? ''} />
            )}
          </Field>
          <Field
            name="percent"
            label={text.percent}
            hint={text.percentHint}
            problem={problem('percent')}
            isOptional
          >
            {control => (
              <input
                {...control}
                inputMode="decimal"
                autoComplete="off"
                defaultValue={group?.percent ?? ''}
              />
            )}
          </Field>
          <Field
            name="prices"
            label={text.ownPrices}
            hint={text.ownPricesHint}
            problem={problem('prices')}
            isOptional
          >
            {control => (
              <textarea {...control} rows={8} spellCheck={false} defaultValue={group ? linesOf(group) : ''} />
            )}
          </Field>
        </fieldset>
        <FormEnd sending={save} backTo="/prices" submit={words.save} isFrozen={isFrozen} />
      </form>
      {isAsked && group && (
        <Ask
          title={text.askRemove(title)}
          text={text.askRemoveGroup}
          act={text.remove}
          isDanger
          onClose={() => setAsked(false)}
          onAct={async () => {
            await api.admin.group.remove.mutate({ group: group.group });
            await leave(text.groupRemoved(title));
          }}
        />
      )}
    </Page>
  );
}

function linesOf({ prices }: Group): string {
  const line = ({ sku, price }: Group['prices'][number]) =>
    `${sku} ${majorOf(price.amount, minorPerMajorOf(price.currency))} ${price.currency}`;
  return prices.map(line).join('\n');
}
