import { type FormEvent, useEffect, useRef, useState } from 'react';
import { createDoorbuster, type Doorbuster, failureOf } from '../../../index.ts';
import { explain } from '../parts/explain.ts';
import { words } from '../texts/texts.ts';
import { keepKey, keptKey } from './staff-key.ts';
import type { Who } from './staff.ts';

export interface SignedIn {
  readonly client: Doorbuster;
  readonly who: Who;
}

/** Asks for a key, and lets in whoever the engine knows by it. A key that is kept in this tab is tried at once. */
export function SignIn({
  hasEnded,
  onSignedIn,
}: {
  hasEnded: boolean;
  onSignedIn: (signedIn: SignedIn) => void;
}) {
  const [problem, setProblem] = useState<string | null>(hasEnded ? words.signIn.ended : null);
  const [isBusy, setBusy] = useState(keptKey() !== null);
  const field = useRef<HTMLInputElement>(null);

  const tryKey = async (key: string) => {
    setBusy(true);
    const client = createDoorbuster({ url: window.location.origin, token: key });
    try {
      const who = await client.api.admin.whoami.query();
      keepKey(key);
      onSignedIn({ client, who });
    } catch (error) {
      void client.close();
      const { code } = failureOf(error);
      if (code === 'UNAUTHORIZED' || code === 'FORBIDDEN') keepKey(null);
      setProblem(
        code === 'UNAUTHORIZED'
          ? words.signIn.refused
          : code === 'FORBIDDEN'
            ? words.signIn.buyer
            : explain(error),
      );
      setBusy(false);
      field.current?.focus();
    }
  };
  useEffect(() => {
    const kept = keptKey();
    if (kept !== null) void tryKey(kept);
    else field.current?.focus();
    // Once, as the page opens: what follows is asked for by the form.
  }, []);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const key = field.current?.value.trim() ?? '';
    if (key === '') {
      setProblem(words.signIn.empty);
      field.current?.focus();
      return;
    }
    void tryKey(key);
  };
  return (
    <main id="content" className="sign-in">
      <form className="card sign-in-card" onSubmit={submit} noValidate>
        <Door />
        <h1>{words.signIn.title}</h1>
        <p className="hint">{words.signIn.intro}</p>
        <div className="field">
          <label htmlFor="staff-key">{words.signIn.key}</label>
          <input
            id="staff-key"
            ref={field}
            type="password"
            autoComplete="off"
            spellCheck={false}
            aria-invalid={problem !== null}
            aria-describedby={problem === null ? 'staff-key-hint' : 'staff-key-problem'}
          />
          <p id="staff-key-hint" className="field-hint">
            {words.signIn.keyHint}
          </p>
        </div>
        <div role="alert">
          {problem !== null && (
            <p id="staff-key-problem" className="notice notice-alarm">
              {problem}
            </p>
          )}
        </div>
        <button type="submit" className="button button-wide" disabled={isBusy}>
          {isBusy ? words.signIn.checking : words.signIn.submit}
        </button>
      </form>
    </main>
  );
}

/** A door ajar, with the light on behind it. */
export function Door() {
  return (
    <svg viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
      <path d="M8 27V5h16v22" fill="none" stroke="currentColor" strokeWidth="2.4" strokeLinejoin="round" />
      <path d="M17 8.4 24 5v22l-7-3.4z" fill="var(--amber)" />
      <path d="M4 27h24" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round" />
    </svg>
  );
}
