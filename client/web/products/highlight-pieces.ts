// What search marked in a text. It comes as HTML with nothing in it but <mark> and numbered characters, and is taken
// apart here rather than put into the page as HTML.
export interface Piece {
  readonly text: string;
  readonly isMarked: boolean;
}

export function piecesOf(html: string): Piece[] {
  const parts = html.split(/(<mark>.*?<\/mark>)/s).filter(part => part !== '');
  return parts.map(part => {
    const isMarked = part.startsWith('<mark>');
    const inner = isMarked ? part.slice('<mark>'.length, -'</mark>'.length) : part;
    const text = inner.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
    return { text, isMarked };
  });
}
