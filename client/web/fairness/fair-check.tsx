import { useState } from 'react';
import { useEngine } from '../engine/engine-context.ts';
import type { KeptTicket } from '../engine/kept.ts';
import type { Drop } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';
import { checkDrop, type FairReport } from './check-drop.ts';

type Check = { kind: 'none' | 'running' | 'failed' } | { kind: 'done'; report: FairReport };

/** How a visitor can see for themselves that nobody was preferred. */
export function FairCheck({ drop, ticket }: { drop: Drop; ticket: KeptTicket | null }) {
  const { api, buyerId } = useEngine();
  const [check, setCheck] = useState<Check>({ kind: 'none' });
  const words = texts.fairness;
  const { dropId, fairness } = drop;
  const run = async () => {
    setCheck({ kind: 'running' });
    try {
      const report = await checkDrop({
        api,
        dropId,
        seedHash: fairness.seedHash,
        ticket,
        buyerId: ticket ? await buyerId() : null,
      });
      setCheck({ kind: 'done', report });
    } catch {
      setCheck({ kind: 'failed' });
    }
  };
  return (
    <section className="fair-check" aria-labelledby="fair-check-title">
      <h2 id="fair-check-title">{words.title}</h2>
      <p>{words.text}</p>
      <button
        type="button"
        className="button button-quiet"
        disabled={check.kind === 'running'}
        onClick={() => void run()}
      >
        {check.kind === 'running' ? words.running : check.kind === 'done' ? words.again : words.run}
      </button>
      <div role="status" className="fair-result">
        {check.kind === 'failed' && <p className="notice notice-alarm">{words.failed}</p>}
        {check.kind === 'done' && <Report report={check.report} mode={drop.mode} />}
      </div>
      <p className="hint">
        <a href={`/proof/${encodeURIComponent(dropId)}`} download>
          {words.download}
        </a>
      </p>
    </section>
  );
}

function Report({ report, mode }: { report: FairReport; mode: Drop['mode'] }) {
  const { findings, statement, lobbySize, callsCount, ticketIsIn, rank } = report;
  const words = texts.fairness;
  if (findings.length > 0) {
    return (
      <div className="notice notice-alarm">
        <p>{words.wrong}</p>
        <ul>
          {findings.map(({ name, what }) => (
            <li key={`${name}/${what}`}>{what}</li>
          ))}
        </ul>
      </div>
    );
  }
  const isFifo = mode === 'fifo';
  const { seed, root, key, beacon } = statement;
  const held = [
    seed !== undefined && words.checks.seed,
    root !== undefined && !isFifo && words.checks.root(lobbySize),
    key !== undefined && words.checks.key,
    words.checks.calls(callsCount),
    ticketIsIn && words.checks.ticket,
    rank !== null && (isFifo ? words.checks.arrival : words.checks.rank)(rank + 1),
  ].filter(line => line !== false);
  const notes = [
    isFifo && words.fifo,
    !isFifo && key === undefined && words.later,
    !isFifo && (beacon === undefined ? words.noBeacon : words.beacon(beacon)),
    !isFifo && words.invented,
  ].filter(line => line !== false);
  return (
    <>
      <p className="notice notice-go">{words.fine}</p>
      <ul className="fair-held">
        {held.map(line => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {notes.map(note => (
        <p key={note} className="hint">
          {note}
        </p>
      ))}
      <details>
        <summary>{words.marks}</summary>
        <dl className="fair-marks">
          <dt>{words.seedHash}</dt>
          <dd>{statement.seedHash}</dd>
          {root !== undefined && (
            <>
              <dt>{words.root}</dt>
              <dd>{root}</dd>
            </>
          )}
          <dt>{words.callsHead}</dt>
          <dd>{statement.callsHead}</dd>
        </dl>
      </details>
    </>
  );
}
