/**
 * What has run of each file of `src/`. A line is reached when all statements that begin on it have run: to ask is not enough for
 * `if (odd) throw …`.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { behindBrackets, declarationsOf, type Place, statementsOf } from './statements.ts'

/** Of a file: whether its statements have run, by `line:column`. The hash says of which text that is true. */
export interface FileReached {
  readonly sha256: string
  readonly statements: Readonly<Record<string, boolean>>
}
export type Reached = ReadonlyMap<string, FileReached>

/** What Vitest writes of a file, in the form of Istanbul. */
export interface Coverage {
  readonly path: string
  readonly statementMap: Readonly<Record<string, { readonly start: Place }>>
  readonly s: Readonly<Record<string, number>>
}

/** What Vitest has written of the files below `src/`. */
export async function readCoverage(path: string, root: string): Promise<Reached> {
  const reached = new Map<string, FileReached>()
  for (const coverage of Object.values(JSON.parse(readFileSync(path, 'utf8')) as Record<string, Coverage>)) {
    const name = relative(root, coverage.path).replaceAll(sep, '/')
    if (!name.startsWith('src/')) continue
    const text = readFileSync(coverage.path, 'utf8')
    reached.set(name, { sha256: sha256(text), statements: await reachedOf(coverage, text) })
  }
  return reached
}

/**
 * Which statements have run, by `line:column`. Compiled code has statements that the source has not, such as getters of exports, and begins some elsewhere, such as
 * `const f = () => …`: with the name or with its value. Of a declaration, the statement behind it tells as well. A statement of which
 * no compiled line tells is left out.
 */
export async function reachedOf(
  { statementMap, s }: Coverage,
  text: string,
): Promise<Record<string, boolean>> {
  const statements = await statementsOf(text)
  const lines = text.split('\n')
  const counts = new Map<string, number>()
  for (const [id, { start }] of Object.entries(statementMap)) {
    const key = keyOf(behindBrackets(lines, start))
    counts.set(key, Math.max(counts.get(key) ?? 0, s[id] ?? 0))
  }
  const own = new Set(statements.map(keyOf))
  const others = Map.groupBy(
    [...counts].filter(([key]) => !own.has(key)),
    ([key]) => Number.parseInt(key, 10),
  )
  const hasRun = (place: Place): boolean | undefined => {
    const count = counts.get(keyOf(place))
    return count === undefined ? others.get(place.line)?.some(([, each]) => each > 0) : count > 0
  }
  for (const [declared, next] of declarationsOf(text).toReversed())
    if (hasRun(next) === true && hasRun(declared) !== undefined) counts.set(keyOf(declared), 1)
  return Object.fromEntries(
    statements.flatMap((place) => {
      const isReached = hasRun(place)
      return isReached === undefined ? [] : [[keyOf(place), isReached]]
    }),
  )
}

/** What earlier runs have reached of files that have not changed since. */
export function readKept(path: string, root: string): Reached {
  if (!existsSync(path)) return new Map()
  const kept = Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, FileReached>)
  const isSame = (name: string, hash: string): boolean =>
    existsSync(join(root, name)) && sha256(readFileSync(join(root, name), 'utf8')) === hash
  return new Map(kept.filter(([name, file]) => isSame(name, file.sha256)))
}

export function keep(path: string, reached: Reached): void {
  writeFileSync(path, JSON.stringify(Object.fromEntries(reached)))
}

export function merge(some: Reached, others: Reached): Reached {
  const merged = new Map(some)
  for (const [name, file] of others) {
    const statements: Record<string, boolean> = { ...some.get(name)?.statements }
    for (const [place, hasRun] of Object.entries(file.statements)) statements[place] ||= hasRun
    merged.set(name, { ...file, statements })
  }
  return merged
}

/** Lines on which statements begin, in order, and whether they are reached. */
export function linesOf({ statements }: FileReached): [line: number, isReached: boolean][] {
  const lines = new Map<number, boolean>()
  for (const [place, hasRun] of Object.entries(statements)) {
    const line = Number.parseInt(place, 10)
    lines.set(line, (lines.get(line) ?? true) && hasRun)
  }
  return [...lines].sort(([a], [b]) => a - b)
}

const keyOf = ({ line, column }: Place): string => `${line}:${column}`

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
