// How a process ends: first it is quiet (readiness fails, nothing new is taken on), then it stops, part by part in the
// reverse order of their start, within a bound. A second signal ends it at once.
import type { Logger } from 'pino';
import { limits } from '../limits.ts';

export interface Lifecycle {
  /** True from the first signal on. */
  readonly stopping: boolean;
  /** What is to be done at the end; the last added is done first. */
  onStop(name: string, stop: () => unknown): void;
  stop(why: string): Promise<void>;
}

export function createLifecycle(options: { log: Logger; endsWithParent: boolean }): Lifecycle {
  const { log } = options;
  const steps: { name: string; stop: () => unknown }[] = [];
  let stopping: Promise<void> | null = null;

  const stopAll = async (why: string) => {
    log.info({ why }, 'stopping');
    setTimeout(() => {
      log.error('stopping took too long');
      process.exit(1);
    }, limits.shutdownMs).unref();
    for (const step of steps.toReversed()) {
      try {
        await step.stop();
      } catch (error) {
        log.warn({ err: error, step: step.name }, 'a step of stopping failed');
      }
    }
    log.info('stopped');
  };
  const lifecycle: Lifecycle = {
    get stopping() {
      return stopping !== null;
    },
    onStop: (name, stop) => void steps.push({ name, stop }),
    stop(why) {
      stopping ??= stopAll(why);
      return stopping;
    },
  };
  const onSignal = (why: string) => {
    if (stopping) process.exit(1);
    void lifecycle.stop(why).then(() => process.exit(0));
  };
  process.on('SIGTERM', () => onSignal('SIGTERM'));
  process.on('SIGINT', () => onSignal('SIGINT'));
  // A process that was started by another one ends with it, however that one ended.
  if (options.endsWithParent) {
    const onParentGone = () => {
      if (!stopping) onSignal('the parent is gone');
    };
    process.stdin.resume().on('end', onParentGone).on('error', onParentGone);
  }
  return lifecycle;
}
