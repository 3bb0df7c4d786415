import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { formatCount } from '../../format/number.ts';
import { failureOf } from '../../../index.ts';
import { explain } from '../parts/explain.ts';
import { Field } from '../parts/field.tsx';
import { tell } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { formatOf, importFile, type ImportReport, type Line } from './import-file.ts';

const linesShown = 50;

type Stage =
  | { kind: 'ready' }
  | { kind: 'busy'; dryRun: boolean; records: number; share: number }
  | { kind: 'reported'; report: ImportReport };

export function ImportPage() {
  const { api } = useStaff();
  const queries = useQueryClient();
  const text = words.imports;
  const [stage, setStage] = useState<Stage>({ kind: 'ready' });
  const [file, setFile] = useState<File | null>(null);
  const [currency, setCurrency] = useState('EUR');
  const [problem, setProblem] = useState<string | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const run = async (dryRun: boolean) => {
    const format = file && formatOf(file.name);
    if (!file || !format) {
      setProblem(file ? text.format : text.noFile);
      return;
    }
    if (!/^[A-Za-z]{3}$/.test(currency)) {
      setProblem(words.form.problems.currency);
      return;
    }
    setProblem(null);
    const stopping = new AbortController();
    running.current = stopping;
    setStage({ kind: 'busy', dryRun, records: 0, share: 0 });
    try {
      const report = await importFile(api, {
        file,
        format,
        currency: currency.toUpperCase(),
        dryRun,
        signal: stopping.signal,
        words: text,
        onProgress: progress => setStage({ kind: 'busy', dryRun, ...progress }),
      });
      setStage({ kind: 'reported', report });
      if (!dryRun) {
        tell(text.resultDone(report.in, report.refusedCount));
        await queries.invalidateQueries();
      }
    } catch (error) {
      setStage({ kind: 'ready' });
      if (stopping.signal.aborted) setProblem(text.stopped);
      else if (failureOf(error).code === 'unknown')
        setProblem(text.unreadable(error instanceof Error ? error.message : String(error)));
      else setProblem(explain(error));
    }
  };
  const report = stage.kind === 'reported' ? stage.report : null;
  return (
    <Page title={text.title}>
      <p className="hint lead">{text.intro}</p>
      <form
        className="form card form-part"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void run(true);
        }}
        noValidate
      >
        <div className="field-row">
          <Field name="file" label={text.file} hint={text.fileHint}>
            {control => (
              <input
                {...control}
                type="file"
                accept=".json,.jsonl,.ndjson,.csv,.tsv"
                disabled={stage.kind === 'busy'}
                onChange={event => {
                  setFile(event.target.files?.[0] ?? null);
                  setStage({ kind: 'ready' });
                }}
              />
            )}
          </Field>
          <Field name="currency" label={text.currency}>
            {control => (
              <input
                {...control}
                maxLength={3}
                value={currency}
                autoComplete="off"
                disabled={stage.kind === 'busy'}
                onChange={event => setCurrency(event.target.value)}
              />
            )}
          </Field>
        </div>
        <div role="alert">{problem !== null && <p className="notice notice-alarm">{problem}</p>}</div>
        {stage.kind === 'busy' ? (
          <div className="import-progress">
            <progress
              max={1}
              value={stage.share}
              aria-label={stage.dryRun ? text.checking : text.importing}
            />
            <p className="figures">
              {stage.dryRun ? text.checking : text.importing}:{' '}
              {text.progress(stage.records, Math.floor(stage.share * 100))}
            </p>
            <button type="button" className="button button-quiet" onClick={() => running.current?.abort()}>
              {text.stop}
            </button>
          </div>
        ) : (
          <div className="form-acts">
            <button
              type="submit"
              className={report?.dryRun && report.in > 0 ? 'button button-quiet' : 'button'}
            >
              {text.check}
            </button>
            {report?.dryRun && report.in > 0 && (
              <button type="button" className="button" onClick={() => void run(false)}>
                {text.import(report.in)}
              </button>
            )}
          </div>
        )}
      </form>
      <div role="status">{report && <Report report={report} />}</div>
    </Page>
  );
}

function Report({ report }: { report: ImportReport }) {
  const text = words.imports;
  const ignored = Object.entries(report.ignoredFields).map(
    ([field, times]) => `${field} (${formatCount(times)})`,
  );
  const download = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(
      new Blob([JSON.stringify(report, null, 2)], { type: 'application/json' }),
    );
    link.download = `${report.file}.report.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <section className="report" aria-label={report.dryRun ? text.checked : text.done}>
      <p className={`notice ${report.refusedCount > 0 ? '' : 'notice-go'}`}>
        <strong>
          {report.dryRun
            ? text.result(report.in, report.refusedCount)
            : text.resultDone(report.in, report.refusedCount)}
        </strong>
        {!report.dryRun && ` · ${text.outcomes(report.created, report.updated, report.unchanged)}`}
      </p>
      {ignored.length > 0 && <p className="hint">{text.ignored(ignored.join(', '))}</p>}
      <Lines title={text.refused} lines={report.refused} />
      <Lines title={text.adjusted} lines={report.adjusted} />
      <button type="button" className="button button-quiet" onClick={download}>
        {text.download}
      </button>
    </section>
  );
}

function Lines({ title, lines }: { title: string; lines: readonly Line[] }) {
  const text = words.imports;
  if (lines.length === 0) return null;
  return (
    <div className="sheet">
      <table className="table">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col" className="is-number">
              {text.record}
            </th>
            <th scope="col" className="is-number">
              {text.line}
            </th>
            <th scope="col">{text.field}</th>
            <th scope="col">{text.reason}</th>
          </tr>
        </thead>
        <tbody>
          {lines.slice(0, linesShown).map(({ record, line, field, reason }) => (
            <tr key={`${record} ${field} ${reason}`}>
              <th scope="row" className="is-number figures">
                {formatCount(record)}
              </th>
              <td data-name={text.line} className="is-number figures">
                {formatCount(line)}
              </td>
              <td data-name={text.field}>{field ? <code>{field}</code> : words.none}</td>
              <td data-name={text.reason}>{reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {lines.length > linesShown && (
        <p className="hint sheet-foot">{text.others(lines.length - linesShown)}</p>
      )}
    </div>
  );
}
