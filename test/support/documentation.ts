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

/** The files that a Markdown text gives whole, each named before its block, by their paths. */
export const filesOf = (markdown: string): Map<string, string> =>
  new Map(
    [...markdown.matchAll(/^\*\*\d+\. [^`]*`([^`]+\.ts)`.*?^```typescript\n(.*?)^```/gms)].map(
      ([, path, code]) => [join(root, path!), code!],
    ),
  )

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

/**
 * A program whose files are parsed once for all programs: those of Node and the library are many.
 * `written` has the text of files that are nowhere else, by their paths.
 */
export function programOf(
  paths: readonly string[],
  options: ts.CompilerOptions = compilerOptions,
  written: ReadonlyMap<string, string> = new Map(),
): ts.Program {
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = path => written.has(path) || fileExists(path)
  host.getSourceFile = (path, language, ...rest) => {
    const text = written.get(path)
    if (text !== undefined) return ts.createSourceFile(path, text, language)
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, language, ...rest))
    return parsed.get(path)
  }
  return ts.createProgram(paths, options, host)
}

/** What the compiler has against some files of a program, a line each. */
export const typeErrors = (program: ts.Program, paths: readonly string[]): string[] =>
  paths
    .map(path => program.getSourceFile(path)!)
    .flatMap(file => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ])
    .map(({ file, start, messageText }) => {
      const line = file!.getLineAndCharacterOfPosition(start ?? 0).line + 1
      return `${file!.fileName}, line ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })

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
