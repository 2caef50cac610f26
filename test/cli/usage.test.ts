import { describe, expect, test } from 'vitest'
import { bench } from '../../lib/cli/bench.ts'
import { info } from '../../lib/cli/info.ts'
import { ops } from '../../lib/cli/ops.ts'
import { UsageError } from '../../lib/cli/options.ts'
import { run } from '../../lib/cli/run.ts'
import { verify } from '../../lib/cli/verify.ts'
import { ended, fovea, start } from './command.ts'

const all = { run, verify, ops, info, bench }
const commands = Object.keys(all)

describe('help', () => {
  test('lists the commands', async () => {
    for (const flag of ['--help', '-h', 'help']) {
      const { code, stdout, stderr } = await fovea(flag)
      expect([code, stderr]).toEqual([0, ''])
      for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    }
  })

  test.each(commands)('%s --help', async command => {
    const { code, stdout, stderr } = await fovea(command, '--help')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`^Usage: fovea ${command}`))
  })

  test('--version', async () => {
    expect(await fovea('--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })
})

describe('usage errors', () => {
  test.each([
    ['run', [], /run needs a file/],
    ['run', ['x.safetensors'], /run needs --out DIR/],
    ['run', ['x.safetensors', '--out'], /--out/],
    ['verify', [], /verify needs a file/],
    ['verify', ['--jsn', 'x'], /--jsn/],
    ['ops', ['--full'], /--full/],
    ['ops', ['sofmax'], /no operation is called sofmax; is it softmax\?/],
    ['ops', ['sliding'], /; is it slidingWindowAttention\?/],
    ['info', ['--x'], /--x/],
    ['info', ['x'], /info takes no argument; got x/],
    ['bench', ['--threads', '0'], /--threads must be a whole number >= 1; got 0/],
    ['bench', ['--threads', 'x'], /got x/],
    ['bench', ['sofmax'], /is it softmax\?/],
    ['bench', ['compare', 'a'], /needs two files/],
    ['bench', ['compare', 'a', 'b', '--threshold', 'x'], /percentage >= 0; got x/],
    ['bench', ['compare', 'nowhere', 'b'], /nowhere cannot be read/],
  ] as const)('of %s %j', async (name, args, message) => {
    const error = await all[name]([...args]).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({
      message: expect.stringMatching(message),
      usage: expect.stringMatching(/^Usage: fovea/),
    })
  })

  test.each([
    [[], /^Usage/],
    [['rum'], /no command is called rum; is it run\?/],
    [['constructor'], /no command is called constructor/],
    [['bench', 'sofmax'], /is it softmax\?/],
  ])('are told on stderr and exit 2: %j', async (args, message) => {
    const { code, stdout, stderr } = await fovea(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^Usage: fovea/m)
  })
})

describe('the terminal', () => {
  test('no colour and no progress in a pipe', async () => {
    for (const args of [['ops'], ['ops', 'softmax'], ['info']]) {
      const { stdout, stderr } = await ended(start(args, { NO_COLOR: '', FORCE_COLOR: '' }))
      expect(stderr).toBe('')
      expect(stdout).not.toContain('\u001b')
    }
  })

  test('a reader that has seen enough is no error', async () => {
    const child = start(['ops', '--json'])
    child.stdout.destroy()
    const { code, stderr } = await ended(child)
    expect([code, stderr]).toEqual([0, ''])
  })

  test('a wrong instruction set is told in one line', async () => {
    const { code, stderr } = await ended(start(['info'], { FOVEA_ISA: 'mmx' }))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^fovea: .*FOVEA_ISA.*\n$/)
  })
})
