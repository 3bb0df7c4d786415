/** What a command tells whoever started it, a line at a time. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
