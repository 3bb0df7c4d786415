import { defineConfig } from 'vitest/config';

// Tests of single parts first, as many files at a time as there are cores to expect; then those that run a whole
// installation (eight processes and more): a third of their time they wait for processes to start and to end, and for
// windows to run out, so that three of them fill two cores.
export default defineConfig({
  test: {
    pool: 'forks',
    // A worker goes on to its next file with the modules that it has: loading them anew for each file took a fifth of
    // the whole time. No module of the engine keeps state of its own, and no test stands in for a module.
    isolate: false,
    // Tests that say so go on side by side: while one waits for a page, another uses the machine.
    maxConcurrency: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/{unit,contract,model,regression}/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{unit,contract,model,regression}/**'],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
