import { defineConfig } from 'vitest/config'

/** Where tests only compute: they may share processes, and modules with them. */
const shared = ['attention', 'demo', 'io', 'meta', 'ops', 'reference']

// Forks, because a crash of native code must take down a process of tests and not the run.
const common = { pool: 'forks', testTimeout: 60_000, hookTimeout: 60_000 } as const

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'shared',
          include: shared.map(folder => `test/${folder}/**/*.test.ts`),
          // Starting a process and loading the library costs more than most of these files do.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...common,
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: shared.map(folder => `test/${folder}/**`),
          // One at a time: tests of threads, time and memory must find the machine free.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
