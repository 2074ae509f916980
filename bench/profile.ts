/**
 * Where the time of lading's processes goes: Node's own CPU profiles of each process and thread, added up by
 * function and by file.
 */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Context } from './context.ts'
import type { Table, Way } from './rounds.ts'

const mostLines = 30
const root = join(import.meta.dirname, '..')

/** Runs each of the ways once under the profiler, and returns the path of what was found. */
export async function profileWays(
  tables: readonly Table[],
  ways: (table: Table) => readonly Way[],
  context: Context,
): Promise<string> {
  const parts: string[] = []
  for (const table of tables)
    for (const way of ways(table))
      parts.push(`${table.title}\n${way.name}\n\n${await profileWay(table, way, context.temporary)}`)
  // Outside of the folder that goes with the bench.
  const path = join(mkdtempSync(join(tmpdir(), 'lading-profile-')), 'profile.txt')
  writeFileSync(path, parts.join('\n\n'))
  return path
}

async function profileWay(table: Table, way: Way, temporary: string): Promise<string> {
  const folder = mkdtempSync(join(temporary, 'profiled-'))
  const profiles = join(folder, 'profiles')
  await table.reset()
  await way.prepare?.(folder)
  const before = process.env['NODE_OPTIONS']
  // Every process of Node that is started meanwhile writes a profile when it ends.
  process.env['NODE_OPTIONS'] = `${before ?? ''} --cpu-prof --cpu-prof-dir=${profiles}`
  try {
    const { seconds, cpuSeconds } = await way.run(folder)
    const found = readdirSync(profiles).map((name) => profileText(readProfile(join(profiles, name))))
    return [
      `${seconds.toFixed(2)} s, client CPU ${cpuSeconds.toFixed(2)} s, under the profiler`,
      ...found,
    ].join('\n\n')
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = before
  }
}

/**
 * What is used of a .cpuprofile: nodes of the tree of calls, and which of them was met how long. Times are
 * microseconds.
 */
interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const readProfile = (path: string): Profile => JSON.parse(readFileSync(path, 'utf8')) as Profile

function profileText(profile: Profile): string {
  const byFunction = new Map<string, number>()
  const byFile = new Map<string, number>()
  let idle = 0
  let busy = 0
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id)
    const micros = profile.timeDeltas[index] ?? 0
    if (frame === undefined) return
    if (frame.functionName === '(idle)') return void (idle += micros)
    busy += micros
    const file = fileOf(frame.url)
    const at = frame.url === '' ? '' : `  ${file}:${frame.lineNumber + 1}`
    add(byFunction, `${frame.functionName || '(anonymous)'}${at}`, micros)
    add(byFile, frame.url === '' ? `(native) ${frame.functionName}` : file, micros)
  })
  const head = `${commandOf(profile)}: ${seconds(busy)} s at work, ${seconds(idle)} s idle`
  return [head, 'by function', ...lines(byFunction, busy), 'by file', ...lines(byFile, busy)].join('\n')
}

const add = (times: Map<string, number>, name: string, micros: number): void =>
  void times.set(name, (times.get(name) ?? 0) + micros)

function lines(times: ReadonlyMap<string, number>, all: number): string[] {
  const sorted = [...times].sort(([, a], [, b]) => b - a).slice(0, mostLines)
  return sorted.map(
    ([name, micros]) =>
      `${((100 * micros) / all).toFixed(1).padStart(6)} %  ${seconds(micros).padStart(7)} s  ${name}`,
  )
}

const seconds = (micros: number): string => (micros / 1e6).toFixed(2)

function fileOf(url: string): string {
  if (!url.startsWith('file:')) return url
  const path = relative(root, fileURLToPath(url))
  return path.startsWith('..') ? fileURLToPath(url) : path
}

/** Which command the process is, by a function that it runs and the commands after it do not. */
const commandFunctions = { load: 'moveAndIndex', produce: 'produce', consume: 'createConsumer' } as const

function commandOf({ nodes }: Profile): string {
  const run = new Set(nodes.map(({ callFrame }) => callFrame.functionName))
  const [command] = Object.entries(commandFunctions).find(([, name]) => run.has(name)) ?? []
  return command === undefined ? 'a thread or another program' : `lading ${command}`
}
