import { defineConfig } from 'vitest/config'

/** Folders whose tests only compute: they may share processes, and modules with them. */
const shared = ['attention', 'demo', 'io', 'meta', 'ops', 'reference']
/** Folders whose tests must find the machine free: they count threads, time or memory. */
const alone = ['bridge', 'core']
const every = (folders: readonly string[]) => folders.map(folder => `test/${folder}/**/*.test.ts`)

// Forks, because a crash of native code must take down a process of tests and not the run.
const common = { pool: 'forks', testTimeout: 60_000, hookTimeout: 60_000 } as const
// Two at a time, because the engine itself uses every core.
const sideBySide = { ...common, maxWorkers: 2, sequence: { groupOrder: 1 } }

export default defineConfig({
  test: {
    projects: [
      // Starting a process and loading the library costs more than most of these files do.
      { test: { ...sideBySide, name: 'shared', include: every(shared), isolate: false } },
      {
        test: {
          ...sideBySide,
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: every([...shared, ...alone]),
        },
      },
      {
        test: {
          ...common,
          name: 'alone',
          include: every(alone),
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
