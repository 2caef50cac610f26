// The references against the golden cases: what the engine is held to must itself be right.
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { goldenFiles, goldenFolder, readCaseFile } from '../support/caseFile.ts'
import { difference, type Tolerance } from '../support/compare.ts'
import type { Reference } from './reference.ts'

// Expectations are float64 rounded to float32 once; what remains is that rounding.
const kRounding: Tolerance = { rtol: 1.2e-7, atol: 1e-12 }

describe.each(readdirSync(goldenFolder))('%s', async op => {
  const module = (await import(
    /* @vite-ignore */ new URL(`${op}.ts`, import.meta.url).href
  )) as Record<string, Reference>
  const { required, takesWeights, compute } = module[op]!

  test.each(goldenFiles(op).map(path => readCaseFile(path)))('$name', file => {
    const given = Object.keys(file.tensors)
    expect(given.filter(name => required.includes(name)).length).toBeGreaterThan(0)
    if (!takesWeights) expect(Object.keys(file.weights)).toEqual([])
    const got = compute(file)
    expect(Object.keys(got).sort()).toEqual(Object.keys(file.expected).sort())
    for (const [name, want] of Object.entries(file.expected)) {
      expect(difference(got[name]!, want, kRounding), name).toBeUndefined()
    }
  })
})
