// Which groups a buyer is in because the shop has said so here. Those that the shop's own token names are not: they come and
// go with the token.
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { ApiInputs, ApiOutputs } from '../../../index.ts';
import { localTime } from '../drops/edit-drop-form.tsx';
import { explain } from '../parts/explain.ts';
import { Field } from '../parts/field.tsx';
import { formText } from '../parts/form-text.ts';
import { tell } from '../parts/notices.tsx';
import { Awaited, heldStill } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { useGroups } from './group-list.tsx';

type Member = ApiOutputs['admin']['group']['buyer'];
type Put = ApiInputs['admin']['group']['putBuyer'];

const buyerPattern = /^[A-Za-z0-9_-]{21}[AQgw]$/;

export function Membership() {
  const { api } = useStaff();
  const text = words.prices;
  const [buyerId, setBuyerId] = useState<string | null>(null);
  const [isWrong, setWrong] = useState(false);
  const member = useQuery({
    queryKey: ['member', buyerId],
    queryFn: () => api.admin.group.buyer.query({ buyerId: buyerId ?? '' }),
    enabled: buyerId !== null,
    ...heldStill,
  });
  const find = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const typed = formText(new FormData(event.currentTarget), 'buyer');
    const isId = buyerPattern.test(typed);
    setWrong(!isId);
    setBuyerId(isId ? typed : null);
  };
  return (
    <>
      <div>
        <h2 id="membership-title">{text.membership}</h2>
        <p className="hint lead">{text.membershipHint}</p>
      </div>
      <form className="find" onSubmit={find} noValidate>
        <Field
          name="buyer"
          label={text.buyer}
          hint={text.buyerHint}
          problem={isWrong ? text.buyerWrong : undefined}
        >
          {control => <input {...control} type="search" autoComplete="off" spellCheck={false} />}
        </Field>
        <button type="submit" className="button button-quiet">
          {words.orders.find}
        </button>
      </form>
      {buyerId !== null && !member.data && <Awaited query={member} />}
      {buyerId !== null && member.data && (
        <MemberForm
          key={`${buyerId} ${member.dataUpdatedAt}`}
          buyerId={buyerId}
          member={member.data}
          onDone={() => void member.refetch()}
        />
      )}
    </>
  );
}

function MemberForm(props: { buyerId: string; member: Member; onDone: () => void }) {
  const { buyerId, member, onDone } = props;
  const { api, may } = useStaff();
  const text = words.prices;
  const known = useGroups().data?.items ?? [];
  const save = useMutation({
    mutationFn: (input: Put) => api.admin.group.putBuyer.mutate(input),
    onSuccess({ groups }) {
      tell(text.memberSaved(groups.length));
      onDone();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const until = new Date(formText(data, 'until')).getTime();
    save.mutate({
      buyerId,
      groups: known.map(({ group }) => group).filter(group => data.has(`in-${group}`)),
      ...(Number.isFinite(until) ? { untilMs: until } : {}),
    });
  };
  return (
    <form className="card part" onSubmit={submit} noValidate>
      <fieldset className="units" disabled={!may('admin')}>
        <legend>{text.inGroups}</legend>
        {known.length === 0 && <p className="hint">{text.noGroups}</p>}
        {known.map(({ group, title }) => (
          <label key={group} className="choice">
            <input type="checkbox" name={`in-${group}`} defaultChecked={member.groups.includes(group)} />
            <span>{title ?? group}</span>
          </label>
        ))}
        <Field name="until" label={text.until} hint={text.untilHint} isOptional>
          {control => (
            <input
              {...control}
              type="datetime-local"
              step="1"
              defaultValue={member.untilMs === undefined ? '' : localTime(member.untilMs)}
            />
          )}
        </Field>
      </fieldset>
      <div role="alert">{save.isError && <p className="notice notice-alarm">{explain(save.error)}</p>}</div>
      {may('admin') && (
        <div className="form-acts">
          <button type="submit" className="button" disabled={save.isPending || known.length === 0}>
            {words.save}
          </button>
        </div>
      )}
    </form>
  );
}
