import { z } from 'zod';
import type { ProcessEvent } from './managed-process.ts';

const logLineSchema = z.looseObject({
  level: z.number(),
  msg: z.string().optional(),
  err: z.looseObject({ message: z.string().optional() }).optional(),
});

const WARN = 40;
const ERROR = 50;

/**
 * What the terminal shows of an event, as one line; undefined for nothing. By default that is what the children
 * warn about and what happens to them; the whole of it is in their log files.
 */
export function terminalLine(event: ProcessEvent, options: { verbose: boolean }): string | undefined {
  switch (event.kind) {
    case 'line':
      return ofLogLine(event.name, event.line, options.verbose);
    case 'died':
      return Number.isFinite(event.restartInMs)
        ? `${event.name}: ${event.cause}; starting it again in ${event.restartInMs} ms`
        : `${event.name}: ${event.cause}`;
    case 'restarted':
      return `${event.name}: runs again`;
    case 'gave-up':
      return [
        `${event.name}: ${event.cause}, again and again; giving up. It said last:`,
        ...event.lastLines.map(line => `  ${line}`),
      ].join('\n');
  }
}

function ofLogLine(name: string, line: string, verbose: boolean): string | undefined {
  const entry = parse(line);
  if (verbose) return `${name}: ${line}`;
  // Lines that are no log entries (Redis' own, Node's notices) stay in the file.
  if (entry === undefined || entry.level < WARN) return undefined;
  const level = entry.level >= ERROR ? 'error' : 'warning';
  const text = [entry.msg, entry.err?.message].filter(part => part !== undefined && part !== '');
  return `${name}: ${level}: ${[...new Set(text)].join(': ')}`;
}

function parse(line: string): z.infer<typeof logLineSchema> | undefined {
  try {
    const parsed = logLineSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
