import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Link } from 'wouter';
import { useEngine } from '../engine/engine-context.ts';
import { explainFailure } from '../engine/explain.ts';
import { forgetVisitor, keptSession } from '../engine/kept.ts';
import { Page } from '../frame/page.tsx';
import { texts } from '../texts/texts.ts';

/** What the shop keeps about the visitor: to take along, or to have erased. */
export function AccountPage() {
  const [buyerId] = useState(() => keptSession()?.buyerId ?? null);
  return (
    <Page title={texts.account.title} className="account-page">
      <h1>{texts.account.title}</h1>
      <p>{texts.account.text}</p>
      <dl className="account-buyer">
        <dt>{texts.account.buyer}</dt>
        <dd>{buyerId ?? texts.account.noBuyer}</dd>
      </dl>
      {buyerId !== null && (
        <>
          <Export />
          <Erase />
        </>
      )}
    </Page>
  );
}

function Export() {
  const { api } = useEngine();
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const download = async () => {
    setIsBusy(true);
    setSaid('');
    setProblem(null);
    try {
      const data = await api.privacy.export.query();
      const blob = new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' });
      const address = URL.createObjectURL(blob);
      const link = document.createElement('a');
      link.href = address;
      link.download = `doorbuster-${data.buyerId}.json`;
      link.click();
      URL.revokeObjectURL(address);
      setSaid(texts.account.exported(data.orders.length));
    } catch (error) {
      setProblem(explainFailure(error));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <section className="account-part" aria-labelledby="export-title">
      <h2 id="export-title">{texts.account.export}</h2>
      <p>{texts.account.exportText}</p>
      <button type="button" className="button" disabled={isBusy} onClick={() => void download()}>
        {texts.account.exportDo}
      </button>
      <p role="status" className="hint">
        {said}
      </p>
      <Problem text={problem} />
    </section>
  );
}

type Outcome = { kind: 'erased'; ordersCount: number } | { kind: 'conflict'; orderIds: string[] };

function Erase() {
  const { api } = useEngine();
  const queries = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const [isBusy, setIsBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const erase = async () => {
    setIsBusy(true);
    setProblem(null);
    try {
      const answer = await api.privacy.erase.mutate();
      setOutcome(answer);
      if (answer.kind === 'erased') {
        forgetVisitor();
        queries.clear();
      }
    } catch (error) {
      setProblem(explainFailure(error));
    } finally {
      setIsBusy(false);
      dialog.current?.close();
    }
  };
  return (
    <section className="account-part" aria-labelledby="erase-title">
      <h2 id="erase-title">{texts.account.erase}</h2>
      <p>{texts.account.eraseText}</p>
      {outcome?.kind !== 'erased' && (
        <button type="button" className="button button-alarm" onClick={() => dialog.current?.showModal()}>
          {texts.account.eraseDo}
        </button>
      )}
      <div role="status">
        {outcome?.kind === 'erased' && (
          <p className="notice notice-go">{texts.account.erased(outcome.ordersCount)}</p>
        )}
        {outcome?.kind === 'conflict' && (
          <div className="notice">
            <p>{texts.account.conflict}</p>
            <ul>
              {outcome.orderIds.map(orderId => (
                <li key={orderId}>
                  <Link href={`/orders/${orderId}`}>{texts.order.number(orderId)}</Link>
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
      <Problem text={problem} />
      <dialog ref={dialog} className="dialog" aria-labelledby="erase-sure">
        <h2 id="erase-sure">{texts.account.eraseSure}</h2>
        <p>{texts.account.eraseText}</p>
        <div className="dialog-ways">
          <button
            type="button"
            className="button button-alarm"
            disabled={isBusy}
            onClick={() => void erase()}
          >
            {texts.account.eraseYes}
          </button>
          <button type="button" className="button button-quiet" onClick={() => dialog.current?.close()}>
            {texts.account.eraseNo}
          </button>
        </div>
      </dialog>
    </section>
  );
}

function Problem({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    <p className="notice notice-alarm" role="alert">
      {text}
    </p>
  );
}
