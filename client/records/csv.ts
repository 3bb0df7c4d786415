// CSV as RFC 4180 has it: quoted fields may hold separators, line breaks and doubled quotes. The first row names the
// columns; the separator is whichever of comma, semicolon and tab that row has most of. Each row becomes a record of
// texts by column; empty cells are left out, as absent.
import { recordCharsMax, type SourceRecord } from './source-record.ts';

interface Row {
  cells: string[];
  line: number;
}

export async function* splitCsv(text: AsyncIterable<string>): AsyncGenerator<SourceRecord> {
  let columns: string[] | undefined;
  let number = 0;
  for await (const row of splitRows(text)) {
    if (row.cells.length === 1 && row.cells[0]?.trim() === '') continue;
    if (!columns) {
      columns = row.cells.map(cell => cell.trim());
      const twice = columns.find((column, index) => columns?.indexOf(column) !== index);
      if (twice !== undefined)
        throw new Error(`the first row names the column ${JSON.stringify(twice)} twice`);
      continue;
    }
    number += 1;
    yield recordOf(row, { columns, number });
  }
  if (!columns) throw new Error('the file is empty: a first row with the names of the columns is expected');
}

function recordOf(row: Row, at: { columns: readonly string[]; number: number }): SourceRecord {
  const { columns, number } = at;
  const { cells, line } = row;
  if (cells.length !== columns.length) {
    const reason = `${cells.length} cells where the first row names ${columns.length} columns`;
    return { kind: 'unreadable', number, line, reason };
  }
  const entries = columns.map((column, index): [string, string] => [column, plainCell(cells[index] ?? '')]);
  return {
    kind: 'record',
    number,
    line,
    value: Object.fromEntries(entries.filter(([, cell]) => cell !== '')),
  };
}

/** Without the apostrophe that keeps a spreadsheet from taking a text for a formula. */
function plainCell(cell: string): string {
  return cell.trim().replace(/^'('*[=+@-])/, '$1');
}

async function* splitRows(text: AsyncIterable<string>): AsyncGenerator<Row> {
  let separator: string | undefined;
  let header = '';
  let row: Row = { cells: [], line: 1 };
  let cell = '';
  let line = 1;
  let isQuoted = false;
  let wasQuote = false;

  const endCell = () => {
    row.cells.push(cell);
    cell = '';
  };

  /** The row that this character ends, if it ends one. */
  function take(character: string): Row | null {
    let ended: Row | null = null;
    if (character === '\n') line += 1;
    if (isQuoted && !wasQuote) {
      if (character === '"') wasQuote = true;
      else cell += character;
    } else if (wasQuote && character === '"') {
      cell += '"';
      wasQuote = false;
    } else {
      // A quote that was not doubled has ended the quoted part.
      if (wasQuote) isQuoted = false;
      wasQuote = false;
      if (character === '"' && cell.trim() === '') {
        isQuoted = true;
        cell = '';
      } else if (character === separator) endCell();
      else if (character === '\n') {
        endCell();
        ended = row;
        row = { cells: [], line };
      } else if (character !== '\r') cell += character;
    }
    if (cell.length > recordCharsMax)
      throw new Error(`a cell of the row on line ${row.line} is longer than it may be`);
    return ended;
  }

  for await (const chunk of text) {
    let source = chunk;
    if (separator === undefined) {
      header += source;
      const end = header.indexOf('\n');
      if (end < 0 && header.length <= recordCharsMax) continue;
      separator = separatorOf(end < 0 ? header : header.slice(0, end));
      source = header.replace(/^\uFEFF/, '');
    }
    for (const character of source) {
      const ended = take(character);
      if (ended) yield ended;
    }
  }
  if (separator === undefined) {
    separator = separatorOf(header);
    for (const character of header.replace(/^\uFEFF/, '')) {
      const ended = take(character);
      if (ended) yield ended;
    }
  }
  if (isQuoted && !wasQuote)
    throw new Error(`the file ends inside a quoted cell of the row on line ${row.line}`);
  if (cell !== '' || row.cells.length > 0) {
    endCell();
    yield row;
  }
}

function separatorOf(firstRow: string): string {
  const counted = [',', ';', '\t'].map(sign => ({ sign, count: firstRow.split(sign).length }));
  return counted.toSorted((a, b) => b.count - a.count)[0]?.sign ?? ',';
}
