import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Colours are for people: none in a pipe, and none where NO_COLOR asks for none. */
export function paint(stream: NodeJS.WriteStream, style: Style, text: string): string {
  const plain = !stream.isTTY || process.env.NO_COLOR || process.env.TERM === 'dumb'
  return plain ? text : styleText(style, text)
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function errorLine(text: string): void {
  process.stderr.write(`${paint(process.stderr, 'red', 'fovea:')} ${text}\n`)
}

/** Numbers that JSON has no word for are written as strings, which Number() and float() read. */
export function printJson(value: unknown): void {
  const replacer = (_: string, part: unknown) =>
    typeof part === 'number' && !Number.isFinite(part) ? String(part) : part
  printLine(JSON.stringify(value, replacer, 2))
}

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** For columns of numbers. */
export const right = { align: 'right' } as const

/** A table without borders: as wide as its cells, nothing behind the last column. */
export function printTable(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...rows.map(row => (row[i] ?? '').length)),
  )
  const lay = (cells: readonly string[]) =>
    columns
      .map(({ align = 'left' }, i) => {
        const cell = cells[i] ?? ''
        return align === 'left' ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
      })
      .join('  ')
      .trimEnd()
  printLine(paint(process.stdout, 'bold', lay(columns.map(({ title }) => title))))
  for (const row of rows) printLine(lay(row))
}
