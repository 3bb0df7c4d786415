import { Component, type ReactNode } from 'react';
import { texts } from '../texts/texts.ts';

/** A fault in one part of the page says so, instead of leaving a blank one. React knows this only as a class. */
export class CrashGuard extends Component<{ children: ReactNode }, { hasCrashed: boolean }> {
  override state = { hasCrashed: false };

  static getDerivedStateFromError() {
    return { hasCrashed: true };
  }

  override render() {
    if (!this.state.hasCrashed) return this.props.children;
    return (
      <div className="notice notice-alarm crash" role="alert">
        <p>{texts.frame.broken}</p>
        <button type="button" className="button button-quiet" onClick={() => window.location.reload()}>
          {texts.frame.reload}
        </button>
      </div>
    );
  }
}
