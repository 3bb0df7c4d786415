import { Component, type ReactNode } from 'react';

interface Guarded {
  /** The address: another page is tried anew, whatever became of this one. */
  readonly at: string;
  readonly says: { readonly broken: string; readonly reload: string };
  readonly className?: string;
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
    const { says, className, children } = this.props;
    if (!this.state.hasCrashed) return children;
    return (
      <main id="content" tabIndex={-1} className={className}>
        <div className="notice notice-alarm crash" role="alert">
          <p>{says.broken}</p>
          <button type="button" className="button button-quiet" onClick={() => window.location.reload()}>
            {says.reload}
          </button>
        </div>
      </main>
    );
  }
}
