import { Component, type ReactNode } from 'react';
import { words } from '../texts/texts.ts';

/** A fault in a page says so, instead of leaving a blank one. React knows this only as a class. */
export class CrashGuard extends Component<{ children: ReactNode }, { hasCrashed: boolean }> {
  override state = { hasCrashed: false };

  static getDerivedStateFromError() {
    return { hasCrashed: true };
  }

  override render() {
    if (!this.state.hasCrashed) return this.props.children;
    return (
      <main id="content" className="admin-page">
        <div className="notice notice-alarm page-failed" role="alert">
          <p>{words.broken}</p>
          <button type="button" className="button button-quiet" onClick={() => window.location.reload()}>
            {words.reload}
          </button>
        </div>
      </main>
    );
  }
}
