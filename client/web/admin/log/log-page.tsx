import { useInfiniteQuery } from '@tanstack/react-query';
import { type FormEvent } from 'react';
import { useSearchParams } from 'wouter';
import type { ApiInputs } from '../../../index.ts';
import { formatDate } from '../../format/duration.ts';
import { formatCount } from '../../format/number.ts';
import { Field } from '../parts/field.tsx';
import { formText } from '../parts/form-text.ts';
import { Empty, Failed, Loading, More, Page } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';

type Query = NonNullable<ApiInputs['admin']['audit']>;

const tones = { done: 'go', refused: 'held', failed: 'alarm' } as const;

export function LogPage() {
  const { api } = useStaff();
  const [params, setParams] = useSearchParams();
  const text = words.log;
  const outcome = (['done', 'refused', 'failed'] as const).find(each => each === params.get('outcome'));
  const what = Object.keys(text.areas).find(each => each === params.get('what'));
  const query: Query = {
    ...(params.get('who') ? { who: params.get('who') ?? '' } : {}),
    ...(params.get('target') ? { target: params.get('target') ?? '' } : {}),
    ...(what ? { what } : {}),
    ...(outcome ? { outcome } : {}),
  };
  const lines = useInfiniteQuery({
    queryKey: ['log', query],
    queryFn: ({ pageParam }) =>
      api.admin.audit.query({ limit: 50, ...query, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: page => page.nextCursor,
  });
  const filter = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const next = new URLSearchParams();
    for (const name of ['who', 'what', 'target', 'outcome']) {
      const value = formText(data, name);
      if (value) next.set(name, value);
    }
    setParams(next);
  };
  const items = lines.data?.pages.flatMap(page => page.items) ?? [];
  return (
    <Page title={text.title}>
      <p className="hint lead">{text.intro}</p>
      <form className="toolbar" onSubmit={filter} key={params.toString()}>
        <Field name="who" label={text.who}>
          {control => (
            <input
              {...control}
              defaultValue={params.get('who') ?? ''}
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Field>
        <Field name="what" label={text.area}>
          {control => (
            <select {...control} defaultValue={what ?? ''}>
              <option value="">{text.any}</option>
              {Object.entries(text.areas).map(([area, name]) => (
                <option key={area} value={area}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field name="target" label={text.target} hint={text.targetHint}>
          {control => (
            <input
              {...control}
              maxLength={64}
              defaultValue={params.get('target') ?? ''}
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </Field>
        <Field name="outcome" label={text.outcome}>
          {control => (
            <select {...control} defaultValue={outcome ?? ''}>
              <option value="">{text.any}</option>
              {Object.entries(text.outcomes).map(([each, name]) => (
                <option key={each} value={each}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <button type="submit" className="button button-quiet">
          {text.filter}
        </button>
      </form>
      {lines.isPending && <Loading />}
      {lines.isError && <Failed error={lines.error} onAgain={() => void lines.refetch()} />}
      {lines.isSuccess && items.length === 0 && <Empty title={text.empty} hint={text.emptyHint} />}
      {items.length > 0 && (
        <div className="sheet">
          <table className="table">
            <thead>
              <tr>
                <th scope="col" className="is-number">
                  {text.seq}
                </th>
                <th scope="col">{text.when}</th>
                <th scope="col">{text.who}</th>
                <th scope="col">{text.what}</th>
                <th scope="col">{text.target}</th>
                <th scope="col">{text.outcome}</th>
                <th scope="col">{text.hash}</th>
              </tr>
            </thead>
            <tbody>
              {items.map(line => (
                <tr key={line.seq}>
                  <th scope="row" className="is-number figures">
                    {formatCount(line.seq)}
                  </th>
                  <td data-name={text.when}>{formatDate(line.atMs)}</td>
                  <td data-name={text.who}>{line.who}</td>
                  <td data-name={text.what}>
                    <code>{line.what.replace(/^admin\./, '')}</code>
                  </td>
                  <td data-name={text.target}>{line.target ? <code>{line.target}</code> : words.none}</td>
                  <td data-name={text.outcome}>
                    <span className={`tag tag-${tones[line.outcome]}`}>{text.outcomes[line.outcome]}</span>
                  </td>
                  <td data-name={text.hash}>
                    <code title={line.hash}>{line.hash.slice(0, 10)}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More query={lines} />
    </Page>
  );
}
