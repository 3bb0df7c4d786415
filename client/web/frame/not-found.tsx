import { Link } from 'wouter';
import { texts } from '../texts/texts.ts';
import { Notice } from './notice-page.tsx';

/** An address that leads nowhere. */
export function NotFound({ what = texts.frame.notFound }: { what?: string }) {
  return (
    <Notice title={what} text={texts.frame.notFoundHint}>
      <Link href="/" className="button">
        {texts.frame.toDrops}
      </Link>
      <Link href="/search" className="button button-quiet">
        {texts.frame.toSearch}
      </Link>
    </Notice>
  );
}
