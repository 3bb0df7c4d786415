// The title of the tab: the page's own, under news that call a visitor back who has gone to another tab.
import { useEffect } from 'react';
import { texts } from '../texts/texts.ts';

let page = '';
let news: string | null = null;

function show(): void {
  document.title = [news ?? page, texts.name].filter(Boolean).join(' · ');
}

export function usePageTitle(title: string): void {
  useEffect(() => {
    page = title;
    show();
  }, [title]);
}

/** Stands in front as long as it is not null. */
export function useTitleNews(text: string | null): void {
  useEffect(() => {
    news = text;
    show();
    return () => {
      news = null;
      show();
    };
  }, [text]);
}
