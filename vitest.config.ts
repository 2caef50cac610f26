import { defineConfig } from 'vitest/config'

// Forks, because a crash of native code must take down one file of tests and not the run. One at a
// time, because the engine itself uses every core and a test of threads must find them free.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
