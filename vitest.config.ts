import { defineConfig } from 'vitest/config';

// Two files at a time. Tests that run a whole installation (seven processes and more) come after those of single
// parts: most of their time they wait for processes to start and to end, so that two of them share two cores well.
export default defineConfig({
  test: {
    pool: 'forks',
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
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
