/**
 * What the last run in this folder used, without a password. Commands that look take it where nothing else
 * says; no command that loads does, because it would write to a database that nobody named.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { makeFolder } from '../../core/files.ts'
import type { Listener } from '../../core/events.ts'
import { urlWithoutPassword } from '../../core/url.ts'
import { placeOfQueue } from '../../queue/registry.ts'
import { placeOfSink } from '../../sink/registry.ts'
import { say } from '../terminal/log.ts'
import { sameCommand } from './hint.ts'
import { quoted } from '../../core/shell.ts'
import { isStated, setOption } from './origins.ts'

const folder = '.lading'
const path = `${folder}/last.json`

/**
 * Options that say where a run reads and writes, and those that say how. `--table` is not kept: it would hide what other
 * runs have loaded from commands that review. So would `--pipeline`, which says of the model alone what it is for.
 */
const places = ['to', 'queue'] as const
const ways = ['model'] as const
type Name = (typeof places)[number] | (typeof ways)[number]

/** What was stated; the rest was left to its default. */
type Last = Partial<Record<Name | 'pipeline', string>> & {
  /** Options whose URLs had a password, which is not kept. */
  without?: string
}

/** Their options state the model in place of a remembered one. */
const ofModels = ['model', 'table', 'key', 'onConflict', 'zone', 'types', 'columns']

/** Not `prune`: what removes a part of a ledger is told of which. */
const looking = new Set(['status', 'verify', 'rejects', 'dead', 'peek', 'ui', 'doctor', 'abandon'])
const loading = new Set(['load', 'consume'])

/** Events that come after the database has answered. */
const answered: ReadonlySet<string> = new Set(['published', 'skipped', 'batch', 'dead', 'foreign', 'receipt'])

/** Remembers what the command uses, once it works: a URL at which nothing answers is not kept. */
export function remembering(command: Command): Listener {
  let isDone = false
  return ({ type }) => {
    if (isDone || !answered.has(type)) return
    isDone = true
    remember(command)
  }
}

/** That nothing can be written here is no fault of the run. */
export function remember(command: Command): void {
  const last: Last = {}
  for (const name of [...places, ...ways]) {
    const value: unknown = command.getOptionValue(name)
    if (!isStated(command, name) || typeof value !== 'string') continue
    const kept = isPlace(name) ? keptUrl(value) : value
    if (kept === undefined) continue
    last[name] = kept
    if (kept !== value) noteWithout(last, name)
  }
  const pipeline: unknown = command.getOptionValue('pipeline')
  if (isStated(command, 'pipeline') && typeof pipeline === 'string') last.pipeline = pipeline
  // A producer has no database; the one of its queue stays known.
  const before = hasOption(command, 'to') ? {} : readLast()
  if (before.to !== undefined && before.queue === last.queue) {
    last.to = before.to
    if (before.without?.includes('to') === true) noteWithout(last, 'to')
  }
  const written = `${path}.${process.pid}`
  try {
    // What is left to defaults leaves no file.
    if (Object.keys(last).length === 0) return rmSync(path, { force: true })
    makeFolder(folder)
    writeFileSync(written, `${JSON.stringify(last, null, 2)}\n`)
    renameSync(written, path)
  } catch {
    rmSync(written, { force: true })
  }
}

const noteWithout = (last: Last, name: Name): void =>
  void (last.without = last.without === undefined ? name : `${last.without} ${name}`)

/** Nothing secret is left in them, and without its user a command would not do the same. */
const withPlainUrls = (text: string): string => text

/** What lies in the memory of a process is gone with it. */
const keptUrl = (url: string): string | undefined =>
  [placeOfSink(url), placeOfQueue(url)].some(({ writers }) => writers === 'self')
    ? undefined
    : urlWithoutPassword(url)

const isPlace = (name: Name): boolean => places.some((each) => each === name)

const hasOption = (command: Command, name: string): boolean =>
  command.options.some((option) => option.attributeName() === name)

function readLast(): Last {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown> | null
    const texts = Object.entries(value ?? {}).filter(([, text]) => typeof text === 'string')
    return Object.fromEntries(texts)
  } catch {
    return {}
  }
}

let ofModel: { readonly model?: string | undefined; readonly pipeline?: string | undefined } = {}

/**
 * The model that the last run was given, and its pipeline, where nothing states a model. It serves what that pipeline
 * has loaded, and says nothing of others. Without one, the usual model served.
 */
export const lastModel = () => ofModel

/** For a command that looks: sets what nothing states. For one that loads: says where it does not load. */
export function applyLast(command: Command, isTold: boolean): void {
  const name = topOf(command).name()
  ofModel = {}
  if (looking.has(name)) takeLast(command, isTold)
  else if (isTold && loading.has(name) && hasOption(command, 'to') && !isStated(command, 'to'))
    warnOfOther(command)
}

function topOf(command: Command): Command {
  let at = command
  while (at.parent !== null && at.parent.parent !== null) at = at.parent
  return at
}

function takeLast(command: Command, isTold: boolean): void {
  const last = readLast()
  // Beside another database or queue, what the last run did with its own means nothing.
  if (places.some((name) => isStated(command, name) && !isSame(command, name, last[name]))) return
  const isModelStated = ofModels.some((name) => isStated(command, name))
  if (!isModelStated) ofModel = { model: last.model, pipeline: last.pipeline }
  const taken: string[] = []
  for (const name of [...places, ...ways]) {
    const value = last[name]
    const option = command.options.find((each) => each.attributeName() === name)
    if (value === undefined || option === undefined || isStated(command, name)) continue
    if (value === option.defaultValue || (isModelStated && ofModels.includes(name))) continue
    setOption(command, name, value, 'last', { from: path })
    taken.push(`--${name} ${quoted(value)}`)
  }
  if (taken.length === 0 || !isTold) return
  const what = taken.join(' ')
  const variables = (last.without?.split(' ') ?? []).filter((name) =>
    taken.some((each) => each.startsWith(`--${name} `)),
  )
  const passwords = variables
    .map((name) => `; its password is not kept: set LADING_${name.toUpperCase()}`)
    .join('')
  const line = `using ${what} of the last run in this folder; an option says otherwise${passwords}`
  say('info', 'last', { options: what }, line, withPlainUrls)
}

function isSame(command: Command, name: Name, last: string | undefined): boolean {
  const option = command.options.find((each) => each.attributeName() === name)
  return urlWithoutPassword(String(command.getOptionValue(name))) === (last ?? option?.defaultValue)
}

function warnOfOther(command: Command): void {
  const { to } = readLast()
  const own = String(command.getOptionValue('to'))
  if (to === undefined || to === own) return
  const line = sameCommand(command.args, `--to ${quoted(to)}`)
  say(
    'warn',
    'other',
    { to: own, last: to },
    `into ${own}, because nothing names a database; the last run in this folder used ${to}: ${line}`,
    withPlainUrls,
  )
}
