import { texts } from '../texts/texts.ts';

/** Holds the page's place while its script or its data is on the way, so that the footer does not jump. */
export function PageLoading() {
  return (
    <main id="content" tabIndex={-1} className="page-loading" aria-busy="true">
      <p className="visually-hidden" role="status">
        {texts.frame.loading}
      </p>
      <span aria-hidden="true" />
    </main>
  );
}
