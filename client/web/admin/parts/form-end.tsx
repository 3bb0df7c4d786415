// How a form of a page ends: what went wrong with sending it, the way out, and the button that sends it.
import { Link } from 'wouter';
import { words } from '../texts/texts.ts';
import { explain } from './explain.ts';

export function FormEnd(props: {
  sending: { isError: boolean; error: unknown; isPending: boolean };
  /** What is wrong with the form as a whole. */
  problem?: string | undefined;
  backTo: string;
  submit: string;
  /** Nothing can be sent: whoever looks may not change it. */
  isFrozen?: boolean;
}) {
  const { sending, problem, backTo, submit, isFrozen = false } = props;
  return (
    <>
      <div role="alert">
        {problem && <p className="notice notice-alarm">{problem}</p>}
        {sending.isError && <p className="notice notice-alarm">{explain(sending.error)}</p>}
      </div>
      <div className="form-acts">
        <Link href={backTo} className="button button-quiet">
          {isFrozen ? words.back : words.cancel}
        </Link>
        {!isFrozen && (
          <button type="submit" className="button" disabled={sending.isPending}>
            {submit}
          </button>
        )}
      </div>
    </>
  );
}
