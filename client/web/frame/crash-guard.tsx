import { Component, type ReactNode } from 'react';
import { texts } from '../texts/texts.ts';

interface Guarded {
  /** The address: another page is tried anew, whatever became of this one. */
  readonly at: string;
  readonly children: ReactNode;
}

/** A fault in one part of the page says so, instead of leaving a blank one. React knows this only as a class. */
export class CrashGuard extends Component<Guarded, { hasCrashed: boolean; at: string }> {
  override state = { hasCrashed: false, at: this.props.at };

  static getDerivedStateFromProps({ at }: Guarded, state: { at: string }) {
    return at === state.at ? null : { hasCrashed: false, at };
  }

  static getDerivedStateFromError() {
    return { hasCrashed: true };
  }

  override render() {
    if (!this.state.hasCrashed) return this.props.children;
    return (
      <main id="content" tabIndex={-1}>
        <div className="notice notice-alarm crash" role="alert">
          <p>{texts.frame.broken}</p>
          <button type="button" className="button button-quiet" onClick={() => window.location.reload()}>
            {texts.frame.reload}
          </button>
        </div>
      </main>
    );
  }
}
