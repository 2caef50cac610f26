import { type ParseArgsConfig, parseArgs } from 'node:util'
import { nearest } from '../core/errors.ts'

/** A command line that cannot be meant: exit 2. */
export class UsageError extends Error {
  readonly usage: string
  constructor(message: string, usage: string) {
    super(message)
    this.usage = usage
  }
}

/** `; is it softmax?` where a name is near to one of those that exist, or a part of one. */
export function meant(name: string, names: Iterable<string>): string {
  const all = [...names]
  const part = name.toLowerCase()
  const near = nearest(name, all) ?? all.find(whole => whole.toLowerCase().includes(part))
  return near === undefined ? '' : `; is it ${near}?`
}

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T & { help: { type: 'boolean' } }; allowPositionals: true }>
>

/**
 * Parses a command's arguments. Undefined where they ask for help, which has then been printed.
 * @throws UsageError for an unknown or incomplete option.
 */
export function parseOptions<const T extends Options>(
  args: string[],
  usage: string,
  options: T,
): Parsed<T> | undefined {
  let parsed: Parsed<T>
  try {
    parsed = parseArgs({
      args,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    }) as Parsed<T>
  } catch (error) {
    // The first sentence says what is wrong, the others how to pass such a thing as a file.
    throw new UsageError((error as Error).message.replace(/\. .*$/s, ''), usage)
  }
  if (!(parsed.values as { help?: boolean }).help) return parsed
  process.stdout.write(`${usage}\n`)
  return undefined
}
