import { useMutation, useQuery } from '@tanstack/react-query';
import type { ApiOutputs } from '../../../index.ts';
import { formatDate } from '../../format/duration.ts';
import { formatCount } from '../../format/number.ts';
import { currentLocale } from '../../texts/language.ts';
import { tell, tellFailure } from '../parts/notices.tsx';
import { Failed, Loading, Page } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';

type Run = Exclude<ApiOutputs['admin']['findings']['get'], { kind: 'never' }>;

const underWayMs = 1_000;
const restMs = 15_000;
const numbers = [1, 2, 3, 4, 7] as const;

export function BooksPage() {
  const { api, may } = useStaff();
  const text = words.books;
  const run = useQuery({
    queryKey: ['findings'],
    queryFn: () => api.admin.findings.get.query(),
    refetchInterval: ({ state }) =>
      state.data?.kind === 'waiting' || state.data?.kind === 'running' ? underWayMs : restMs,
  });
  const start = useMutation({
    mutationFn: () => api.admin.findings.start.mutate(),
    async onSuccess({ kind }) {
      tell(kind === 'started' ? text.started : text.already);
      await run.refetch();
    },
    onError: tellFailure,
  });
  const isBusy = run.data?.kind === 'waiting' || run.data?.kind === 'running';
  return (
    <Page
      title={text.title}
      acts={
        may('operator') && (
          <button
            type="button"
            className="button"
            disabled={isBusy || start.isPending}
            onClick={() => start.mutate()}
          >
            {text.start}
          </button>
        )
      }
    >
      <p className="hint lead">{text.intro}</p>
      {run.isPending && <Loading />}
      {run.isError && <Failed error={run.error} onAgain={() => void run.refetch()} />}
      {run.data?.kind === 'never' && <p className="notice">{text.never}</p>}
      {run.data && run.data.kind !== 'never' && <Outcome run={run.data} />}
    </Page>
  );
}

function Outcome({ run }: { run: Run }) {
  const text = words.books;
  const asked = <p className="hint">{text.asked(run.askedBy, formatDate(run.askedAtMs))}</p>;
  switch (run.kind) {
    case 'waiting':
    case 'running':
      return (
        <section className="card books-run" aria-busy="true">
          <p role="status">
            {run.kind === 'waiting' ? text.waiting : text.running(run.documentsRead, run.look)}
          </p>
          {run.suspicionsCount > 0 && <p className="hint">{text.suspicions(run.suspicionsCount)}</p>}
          <progress aria-label={text.title} />
          {asked}
        </section>
      );
    case 'lost':
    case 'failed':
      return (
        <>
          <p className="notice notice-alarm" role="alert">
            {run.kind === 'lost' ? text.lost : text.failed(run.failure ?? '')}
          </p>
          {asked}
        </>
      );
    case 'done':
      return <Done run={run} />;
  }
}

function Done({ run }: { run: Run }) {
  const text = words.books;
  const sec = new Intl.NumberFormat(currentLocale(), {
    style: 'unit',
    unit: 'second',
    maximumFractionDigits: 1,
  }).format(((run.endedAtMs ?? 0) - (run.startedAtMs ?? 0)) / 1_000);
  const isOk = run.findingsCount === 0;
  return (
    <>
      <div className={`verdict ${isOk ? 'verdict-ok' : 'verdict-wrong'}`} role={isOk ? 'status' : 'alert'}>
        <p className="verdict-word">{isOk ? text.ok : text.wrong(run.findingsCount)}</p>
        {!isOk && <p>{text.wrongHint}</p>}
      </div>
      <p className="hint">
        {text.asked(run.askedBy, formatDate(run.askedAtMs))} · {text.looked(run.look, sec)}
      </p>
      {run.checked && (
        <dl className="counts-row" aria-label={text.checked}>
          {Object.entries(text.counts).map(([key, name]) => (
            <div key={key}>
              <dd className="figures">
                {formatCount(Object.entries(run.checked ?? {}).find(([each]) => each === key)?.[1] ?? 0)}
              </dd>
              <dt>{name}</dt>
            </div>
          ))}
        </dl>
      )}
      <ul className="checks">
        {numbers.map(number => {
          const own = run.findings.filter(finding => finding.invariant === number);
          return (
            <li key={number} className={`card check ${own.length > 0 ? 'check-wrong' : ''}`}>
              <p className="check-head">
                <span className={`tag tag-${own.length > 0 ? 'alarm' : 'go'}`}>
                  {own.length > 0 ? text.wrong(own.length) : text.inOrder}
                </span>
                {text.invariants[number]}
              </p>
              {own.length > 0 && (
                <dl className="pairs">
                  {own.map(({ document, what }) => (
                    <div key={`${document} ${what}`}>
                      <dt>
                        <code>{document}</code>
                      </dt>
                      <dd>{what}</dd>
                    </div>
                  ))}
                </dl>
              )}
            </li>
          );
        })}
      </ul>
      {run.findingsCount > run.findings.length && (
        <p className="hint">{text.notListed(run.findingsCount - run.findings.length)}</p>
      )}
    </>
  );
}
