// Reads Server-Sent Events out of pieces of text, as the HTML standard says (section 9.2.6): lines end with CR, LF or
// both, a blank line ends an event, an event without data is none, and an id holds until the next one.

export interface StreamEvent {
  readonly type: string;
  readonly data: string;
  /** The last id that the stream gave, with this event or before it. */
  readonly lastEventId: string;
}

/**
 * Takes the stream's text piece by piece, cut anywhere, and tells each event that it completes. `knownId` is the last
 * id of the connection before: as in browsers, and unlike the standard's letter, it holds until there is a new one, so
 * that a stream whose first events have none can still be resumed.
 */
export function createEventReader(
  onEvent: (event: StreamEvent) => void,
  knownId = '',
): (piece: string) => void {
  let rest = '';
  let isFirst = true;
  let type = '';
  let data: string[] = [];
  let lastEventId = knownId;

  const takeLine = (line: string) => {
    if (line === '') {
      if (data.length > 0) onEvent({ type: type || 'message', data: data.join('\n'), lastEventId });
      type = '';
      data = [];
      return;
    }
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') data.push(value);
    else if (name === 'event') type = value;
    else if (name === 'id' && !value.includes('\0')) lastEventId = value;
  };

  return piece => {
    rest += piece;
    if (isFirst && rest !== '') {
      isFirst = false;
      if (rest.startsWith('\uFEFF')) rest = rest.slice(1);
    }
    // A CR at the end may be the first half of a CRLF that was cut in two.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) takeLine(line);
  };
}
