import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { ApiInputs, ApiOutputs } from '../../../index.ts';
import { byLocale } from '../../format/by-locale.ts';
import { formatDate } from '../../format/duration.ts';
import { bounds } from '../drops/bounds.ts';
import { Ask } from '../parts/ask.tsx';
import { explain } from '../parts/explain.ts';
import { Field, focusFirstProblem } from '../parts/field.tsx';
import { formTexts } from '../parts/form-text.ts';
import { tell, tellBad } from '../parts/notices.tsx';
import { Awaited, Empty } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { type PriceProblems, readRateForm } from './price-forms.rules.ts';
import { sayPriceProblem } from './say-price-problem.ts';

type Rate = ApiOutputs['admin']['rate']['list']['items'][number];
type Put = ApiInputs['admin']['rate']['put'];

/** As exact as it was set. */
const exact = byLocale(locale => new Intl.NumberFormat(locale, { maximumFractionDigits: 9 }));

const sayRate = ({ from, to, rate }: Pick<Rate, 'from' | 'to' | 'rate'>) =>
  words.prices.rateSaid(from, exact().format(Number(rate)), to);

export function RateList() {
  const { api, may } = useStaff();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Rate | null>(null);
  const text = words.prices;
  const rates = useQuery({ queryKey: ['rates'], queryFn: () => api.admin.rate.list.query() });
  const again = () => queries.invalidateQueries({ queryKey: ['rates'] });
  const items = rates.data?.items;
  return (
    <>
      <div>
        <h2 id="rates-title">{text.rates}</h2>
        <p className="hint lead">
          {text.ratesHint(bounds.exchangeRateAgeDays)} <Link href="/log?what=admin.rate">{text.rateLog}</Link>
        </p>
      </div>
      {may('admin') && <RateForm onDone={again} />}
      {!items && <Awaited query={rates} />}
      {items?.length === 0 && <Empty title={text.noRates} hint={text.noRatesHint} />}
      {items && items.length > 0 && (
        <div className="sheet">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{text.rate}</th>
                <th scope="col">{text.setAt}</th>
                <th scope="col">{text.use}</th>
                {may('admin') && (
                  <th scope="col">
                    <span className="visually-hidden">{text.remove}</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {items.map(rate => (
                <tr key={`${rate.from}:${rate.to}`}>
                  <th scope="row" className="figures">
                    {sayRate(rate)}
                  </th>
                  <td data-name={text.setAt}>{formatDate(rate.atMs)}</td>
                  <td data-name={text.use}>
                    <span className={`tag tag-${rate.usable ? 'go' : 'held'}`}>
                      {rate.usable ? text.usable : text.tooOld}
                    </span>
                  </td>
                  {may('admin') && (
                    <td className="is-number">
                      <button
                        type="button"
                        className="button button-quiet"
                        aria-label={`${text.remove}: ${sayRate(rate)}`}
                        onClick={() => setAsked(rate)}
                      >
                        {text.remove}
                      </button>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {asked && (
        <Ask
          title={text.askRemove(sayRate(asked))}
          text={text.askRemoveRate}
          act={text.remove}
          isDanger
          onClose={() => setAsked(null)}
          onAct={async () => {
            await api.admin.rate.remove.mutate({ from: asked.from, to: asked.to });
            tell(text.rateRemoved(sayRate(asked)));
            await again();
          }}
        />
      )}
    </>
  );
}

/** One that is there already is replaced, which is what a shop does each day. */
function RateForm({ onDone }: { onDone: () => Promise<void> }) {
  const { api } = useStaff();
  const form = useRef<HTMLFormElement>(null);
  const [problems, setProblems] = useState<PriceProblems>({});
  const text = words.prices;
  const put = useMutation({
    mutationFn: (input: Put) => api.admin.rate.put.mutate(input),
    async onSuccess({ kind }, input) {
      if (kind === 'full') return tellBad(text.fullRates);
      tell(text.ratePut(sayRate(input)));
      form.current?.reset();
      await onDone();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const read = readRateForm(formTexts(new FormData(event.currentTarget)));
    setProblems(read.kind === 'wrong' ? read.problems : {});
    if (read.kind === 'wrong') focusFirstProblem(form.current);
    else put.mutate(read.input);
  };
  return (
    <form ref={form} className="card part" onSubmit={submit} noValidate>
      <div className="toolbar">
        {(['from', 'to', 'rate'] as const).map(name => (
          <Field
            key={name}
            name={name}
            label={text.rateFields[name]}
            problem={sayPriceProblem(problems[name])}
          >
            {control =>
              name === 'rate' ? (
                <input {...control} inputMode="decimal" autoComplete="off" maxLength={19} />
              ) : (
                <input {...control} autoCapitalize="characters" autoComplete="off" maxLength={3} />
              )
            }
          </Field>
        ))}
        <button type="submit" className="button button-quiet" disabled={put.isPending}>
          {text.putRate}
        </button>
      </div>
      <div role="alert">{put.isError && <p className="notice notice-alarm">{explain(put.error)}</p>}</div>
    </form>
  );
}
