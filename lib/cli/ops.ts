import type { Definition, TensorSpec } from '../core/declaration/definition.ts'
import type { Dynamic, Param } from '../core/declaration/params.ts'
import { meant, parseOptions, UsageError } from './options.ts'
import { paint, printJson, printLine, printTable } from './output.ts'

const usage = `Usage: fovea ops [NAME...] [--json]

Lists the operations, or describes those named in full: tensors, weights, parameters with their defaults,
outputs, and the paper.`

/** What one line about a tensor, a weight, a parameter or an output says. */
interface Item {
  readonly name: string
  readonly kind: string
  readonly note: string
}

interface Description {
  readonly name: string
  readonly summary: string
  readonly paper: string
  readonly tensors: readonly Item[]
  readonly weights: readonly Item[] | string
  readonly params: readonly Item[]
  readonly outputs: readonly Item[]
}

function shapeText(shape: string | readonly string[]): string {
  const spellings = typeof shape === 'string' ? [shape] : shape
  return spellings.map(text => `[${text.split(' ').filter(Boolean).join(', ')}]`).join(' or ')
}

/** Why something may be left out: a group stands or falls together. */
function optionalNote(optional: boolean | string | undefined): string {
  if (typeof optional === 'string') return `optional, with all of ${optional} or none`
  return optional === true ? 'optional' : ''
}

function notes(...parts: (string | undefined | false)[]): string {
  return parts.filter(Boolean).join('; ')
}

function describeTensor([name, spec]: [string, TensorSpec]): Item {
  const dtypes = [spec.dtype ?? 'float32'].flat()
  return {
    name,
    kind: `${dtypes.join(' | ')} ${shapeText(spec.shape)}`,
    note: notes(
      optionalNote(spec.optional),
      spec.broadcast && 'rank 2 or full, any axis may be 1',
      spec.absentWhen && `null with ${spec.absentWhen}`,
      spec.min !== undefined && `from ${spec.min}`,
      spec.max !== undefined && `to ${spec.max}`,
      spec.note,
    ),
  }
}

function paramKind(param: Param): string {
  switch (param.kind) {
    case 'choice':
      return param.choices.map(choice => JSON.stringify(choice)).join(' | ')
    case 'list': {
      const { length } = param
      const count = typeof length === 'object' ? ` (${length.text})` : length && ` (${length})`
      return `list of ${paramKind(param.element)}${count || ''}`
    }
    case 'boolean':
      return 'boolean'
    default: {
      const { min, max, above } = param
      const range = [
        above === undefined ? '' : ` > ${above}`,
        min === undefined ? '' : ` >= ${min}`,
        max === undefined ? '' : ` <= ${max}`,
      ]
      return `${param.kind}${range.filter(Boolean).join(',')}`
    }
  }
}

function isDynamic(value: unknown): value is Dynamic<unknown> {
  return typeof value === 'object' && value !== null && 'text' in value
}

function valueText(value: unknown): string {
  return isDynamic(value) ? value.text : JSON.stringify(value)
}

function describeParam([name, param]: [string, Param]): Item {
  const { default: standard, implied, used, optional } = param
  return {
    name,
    kind: paramKind(param),
    note: notes(
      standard !== undefined && `default ${valueText(standard)}`,
      implied && `left out: as ${implied.text}`,
      optional && 'optional',
      standard === undefined && !implied && !optional && 'required',
      used && `used where ${used.text}`,
    ),
  }
}

function describe(definition: Definition): Description {
  const { name, summary, paper = '', tensors, weights, params = {}, outputs } = definition
  return {
    name,
    summary,
    paper,
    tensors: Object.entries(tensors).map(describeTensor),
    weights:
      typeof weights === 'function'
        ? 'as the parameters and the names given say'
        : Object.entries(weights ?? {}).map(([weight, { shape, optional, unused }]) => ({
            name: weight,
            kind: shapeText(shape),
            note: notes(optionalNote(optional), unused && 'ignored'),
          })),
    params: Object.entries(params as Record<string, Param>).map(describeParam),
    outputs: Object.entries(outputs).map(
      ([output, { shape, dtype = 'float32', optional, inPlace }]) => ({
        name: output,
        kind: `${dtype} ${shapeText(shape)}`,
        note: notes(optional && 'when asked for', inPlace && `may be ${inPlace} itself`),
      }),
    ),
  }
}

function printSection(title: string, items: readonly Item[] | string): void {
  if (items.length === 0) return
  printLine(`\n${paint(process.stdout, 'bold', title)}`)
  if (typeof items === 'string') {
    printLine(`  ${items}`)
    return
  }
  const widths = (['name', 'kind'] as const).map(key =>
    Math.max(...items.map(item => item[key].length)),
  )
  for (const { name, kind, note } of items) {
    printLine(`  ${name.padEnd(widths[0]!)}  ${kind.padEnd(widths[1]!)}  ${note}`.trimEnd())
  }
}

function print(description: Description): void {
  const { name, summary, paper, tensors, weights, params, outputs } = description
  printLine(`${paint(process.stdout, 'bold', name)}: ${summary}`)
  if (paper !== '') printLine(paper)
  printSection('Tensors', tensors)
  printSection('Weights', weights)
  printSection('Parameters', params)
  printSection('Outputs', outputs)
}

export async function ops(args: string[]): Promise<number> {
  const parsed = parseOptions(args, usage, { json: { type: 'boolean' } })
  if (parsed === undefined) return 0
  await import('../index.ts') // declares the operations
  const { definitions } = await import('../core/operation.ts')
  const { json } = parsed.values
  const names = parsed.positionals
  if (names.length === 0) {
    const all = [...definitions.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
    if (json) printJson(all.map(describe))
    else
      printTable(
        [{ title: 'operation' }, { title: 'what it is' }, { title: 'paper' }],
        all.map(({ name, summary, paper = '' }) => [name, summary, paper]),
      )
    return 0
  }
  const chosen = names.map(name => {
    const definition = definitions.get(name)
    if (definition !== undefined) return describe(definition)
    const hint = meant(name, definitions.keys())
    throw new UsageError(`no operation is called ${name}${hint}`, usage)
  })
  if (json) printJson(names.length === 1 ? chosen[0] : chosen)
  else {
    chosen.forEach((description, i) => {
      if (i > 0) printLine('')
      print(description)
    })
  }
  return 0
}
