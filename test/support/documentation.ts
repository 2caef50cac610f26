// Docstrings of what a module exports, read with the TypeScript compiler.
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './project.ts'

export interface Documented {
  readonly name: string
  /** How many a function has; undefined for what is none. */
  readonly parameters: number | undefined
  readonly text: string
  readonly tags: readonly string[]
  readonly examples: readonly string[]
}

/** The TypeScript code blocks of a Markdown text. */
export const examplesOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code!)

export const compilerOptions: ts.CompilerOptions = {
  ...ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    root,
  ).options,
  noEmit: true,
}

const parsed = new Map<string, ts.SourceFile | undefined>()

/** A program whose files are parsed once for all programs: those of Node and the library are many. */
export function programOf(
  paths: readonly string[],
  options: ts.CompilerOptions = compilerOptions,
): ts.Program {
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (path, ...rest) => {
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, ...rest))
    return parsed.get(path)
  }
  return ts.createProgram(paths, options, host)
}

export function documented(module: string): Documented[] {
  const program = programOf([join(root, module)])
  const checker = program.getTypeChecker()
  const source = checker.getSymbolAtLocation(program.getSourceFile(join(root, module))!)!
  return checker.getExportsOfModule(source).map(exported => {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
    const text = ts.displayPartsToString(symbol.getDocumentationComment(checker))
    const tags = symbol.getJsDocTags(checker)
    const declaration = symbol.declarations![0]!
    const isValue = (symbol.flags & (ts.SymbolFlags.Value & ~ts.SymbolFlags.Class)) !== 0
    const signatures = checker.getTypeOfSymbolAtLocation(symbol, declaration).getCallSignatures()
    return {
      name: exported.name,
      parameters: isValue ? signatures[0]?.parameters.length : undefined,
      text: `${text}\n${tags.map(tag => ts.displayPartsToString(tag.text)).join('\n')}`,
      tags: tags.map(tag => tag.name),
      examples: tags
        .filter(tag => tag.name === 'example')
        .flatMap(tag => examplesOf(`${ts.displayPartsToString(tag.text)}\n`)),
    }
  })
}
