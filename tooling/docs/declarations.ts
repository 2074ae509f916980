/** What `src/index.ts` exports, with its declaration as TypeScript writes it and its comment. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseAst } from 'rolldown/parseAst'

const root = join(import.meta.dirname, '../..')

export interface Exported {
  readonly name: string
  /** The file of the declaration, below src/. */
  readonly file: string
  readonly isType: boolean
  /** Several for an overloaded function. */
  readonly declarations: readonly Declaration[]
}

export interface Declaration {
  readonly code: string
  /** Of its comment, without its stars. */
  readonly comment: string
}

let asFound: readonly Exported[] | undefined

/** In the order of the index. */
export const exportsOf = (): readonly Exported[] => (asFound ??= findExports())

function findExports(): readonly Exported[] {
  const folder = mkdtempSync(join(tmpdir(), 'lading-api-'))
  try {
    const tsc = join(root, 'node_modules/.bin/tsc')
    const { status, stdout } = spawnSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', folder], {
      cwd: root,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stdout)
    return new Declarations(folder).of('index')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The parts of the syntax tree that are looked at. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly id?: { readonly name: string } | null
  readonly declaration?: Node | null
  readonly declarations?: readonly Node[]
  readonly source?: { readonly value: string } | null
  readonly specifiers?: readonly {
    readonly local: { readonly name: string }
    readonly exported?: { readonly name: string }
    readonly imported?: { readonly name: string }
  }[]
}

class Declarations {
  readonly #folder: string
  readonly #files = new Map<string, { readonly text: string; readonly body: readonly Node[] }>()

  constructor(folder: string) {
    this.#folder = folder
  }

  of(file: string): readonly Exported[] {
    return this.#file(file).body.flatMap(({ type, source, specifiers = [] }) =>
      type === 'ExportNamedDeclaration' && source
        ? specifiers.map(({ local, exported = local }) =>
            this.#find(target(file, source.value), local.name, exported.name),
          )
        : [],
    )
  }

  #file(file: string) {
    const known = this.#files.get(file)
    if (known !== undefined) return known
    const text = readFileSync(join(this.#folder, `${file}.d.ts`), 'utf8')
    const found = { text, body: parseAst(text, { lang: 'dts' }).body as unknown as readonly Node[] }
    this.#files.set(file, found)
    return found
  }

  #find(file: string, name: string, as: string): Exported {
    const found = this.#lookIn(file, name, as)
    if (found === undefined) throw new Error(`${file} does not export ${name}`)
    return found
  }

  #lookIn(file: string, name: string, as: string): Exported | undefined {
    const { text, body } = this.#file(file)
    const own = body.filter(({ declaration }) => namesOf(declaration).includes(name))
    if (own.length > 0)
      return {
        name: as,
        file,
        isType: own.every(({ declaration }) => /^TS(Interface|TypeAlias)/.test(declaration?.type ?? '')),
        declarations: own.map((node) => ({
          code: codeOf(text, node).replaceAll(new RegExp(`\\b${name}\\b(?=[(<: ])`, 'g'), as),
          comment: commentBefore(text, node.start),
        })),
      }
    for (const { type, source, specifiers = [] } of body) {
      const other = specifiers.find(({ exported }) => exported?.name === name)?.local.name
      if (other !== undefined) {
        const [from, local] = source ? [target(file, source.value), other] : imported(file, body, other)
        return this.#find(from, local, as)
      }
      const isAll = type === 'ExportAllDeclaration' && source
      const found = isAll ? this.#lookIn(target(file, source.value), name, as) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** Where an imported name comes from, and what it is called there. */
function imported(file: string, body: readonly Node[], name: string): [file: string, name: string] {
  for (const { source, specifiers = [] } of body) {
    const found = specifiers.find(({ local, exported }) => exported === undefined && local.name === name)
    if (found?.imported && source) return [target(file, source.value), found.imported.name]
  }
  throw new Error(`${file} does not import ${name}`)
}

const target = (from: string, path: string): string => join(dirname(from), path.replace(/\.ts$/, ''))

const namesOf = (node: Node | null | undefined): readonly (string | undefined)[] =>
  node ? [node.id?.name, ...(node.declarations ?? []).map(({ id }) => id?.name)] : []

/** Without what only compilers need. */
const codeOf = (text: string, { start, end }: Node): string =>
  text
    .slice(start, end)
    .replace(/^export (?:declare )?/, '')
    .replaceAll(/^ *(?:#private|private .*);\n/gm, '')
    .replaceAll(/^( +)/gm, (indent) => indent.slice(indent.length / 2))

function commentBefore(text: string, start: number): string {
  const before = text.slice(0, start).trimEnd()
  if (!before.endsWith('*/')) return ''
  const comment = before.slice(before.lastIndexOf('/**') + 3, -2)
  return comment.replaceAll(/^ *\* ?/gm, '').trim()
}
