// Texts that a product may have and that a file format, a spreadsheet or a parser likes to trip over.
export const nastyTexts = [
  '=1+1',
  "'=1+1",
  "''@x",
  '-5 °C',
  '"',
  '""quoted"", twice',
  'a|b',
  'a\\|b',
  'ends in a backslash\\',
  'a;b,c',
  "l'été",
  '007',
  '1e5',
  'null',
  '{}',
  '😀 family 👨‍👩‍👧',
] as const;
