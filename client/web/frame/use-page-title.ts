import { useEffect } from 'react';
import { texts } from '../texts/texts.ts';

/** Calls a visitor back who has gone to another tab meanwhile; null leaves the page's own name. */
export function usePageTitle(news: string | null): void {
  useEffect(() => {
    document.title = news === null ? texts.name : `${news} · ${texts.name}`;
    return () => {
      document.title = texts.name;
    };
  }, [news]);
}
