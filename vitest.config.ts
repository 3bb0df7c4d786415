import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Begun first, since they take longest: at the end no core is left idle while one long file is still at work.
const longest = [
  'flow/drill',
  'browser/control-room',
  'browser/storefront',
  'browser/waiting',
  'model/checkout.model',
  'flow/import',
  'flow/outsiders',
  'flow/reprice',
  'flow/catalog-search',
  'flow/start',
  'flow/falling-price',
  'flow/chaos',
  'flow/oversell-control',
  'flow/checkout-workers',
  'flow/reindex',
  'flow/search-crash',
  'flow/proof',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = longest.findIndex(name => moduleId.endsWith(`/test/${name}.test.ts`));
      return place < 0 ? longest.length : place;
    };
    return files.toSorted((a, b) => placeOf(a) - placeOf(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/temporary-folder.ts',
    pool: 'forks',
    // A worker goes on to its next file with the modules that it has: loading them anew for each file took a fifth of
    // the whole time. No module of the engine keeps state of its own, and no test stands in for a module.
    isolate: false,
    // Half of a whole installation's time goes into waiting for processes, sockets and windows that run out: two files
    // fill a core. More than eight at once would wait for the disk.
    maxWorkers: Math.min(8, 2 * availableParallelism()),
    // Tests that say so go on side by side: while one waits for a page, another uses the machine.
    maxConcurrency: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
});
