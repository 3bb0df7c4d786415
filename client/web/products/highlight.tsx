import { piecesOf } from './highlight-pieces.ts';

export function Highlight({ html }: { html: string }) {
  return piecesOf(html).map(({ text, isMarked }, place) =>
    isMarked ? <mark key={place}>{text}</mark> : <span key={place}>{text}</span>,
  );
}
