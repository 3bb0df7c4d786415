// One child's log on disk: its lines as they came, at most two files of bounded size. The file of the run
// before is kept as NAME.1.log, for a look at what happened before a restart.
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';

const BYTES_MAX = 10 * 1024 * 1024;

export class LogFile {
  readonly path: string;
  readonly #before: string;
  readonly #bytesMax: number;
  #file: number;
  #bytes = 0;

  constructor(folder: string, name: string, bytesMax: number = BYTES_MAX) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.path = path.join(folder, `${name}.log`);
    this.#before = path.join(folder, `${name}.1.log`);
    this.#bytesMax = bytesMax;
    this.#file = this.#turnOver();
  }

  /** Written at once: the last lines before a crash are those that matter. A full disk loses the line, no more. */
  write(line: string): void {
    if (this.#file < 0) return;
    if (this.#bytes > this.#bytesMax) {
      closeSync(this.#file);
      this.#file = this.#turnOver();
    }
    try {
      this.#bytes += writeSync(this.#file, `${line}\n`);
    } catch {
      // Losing a log line must not take the installation down with it.
    }
  }

  close(): void {
    if (this.#file >= 0) closeSync(this.#file);
    this.#file = -1;
  }

  #turnOver(): number {
    try {
      renameSync(this.path, this.#before);
    } catch {
      // There is none on the first run.
    }
    this.#bytes = 0;
    return openSync(this.path, 'a', 0o600);
  }
}
