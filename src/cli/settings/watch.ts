/** Options of `load --watch`. */
import { InvalidArgumentError, Option } from 'commander'
import type { Aside } from '../../watch/aside.ts'

export interface WatchFlags {
  readonly watch?: boolean
  readonly settle: number
  readonly done: Aside
  readonly failed: Aside
}

export const watchOptions = () => [
  new Option(
    '--watch',
    'go on, and load what arrives in the folders or under the patterns, until stopped',
  ).conflicts(['append', 'replace', 'dryRun', 'fresh', 'again', 'limit', 'consumers', 'name']),
  new Option('--settle <seconds>', 'with --watch: how long a file must stand still before it is loaded')
    .default(2)
    .argParser(seconds),
  new Option('--done <what>', 'with --watch: keep, delete or move:FOLDER a file that is loaded')
    .default('keep')
    .argParser(aside),
  new Option(
    '--failed <what>',
    'with --watch: keep or move:FOLDER a file with rejects or that cannot be loaded',
  )
    .default('keep')
    .argParser((text) => (text === 'delete' ? refuseAside('keep or move:FOLDER') : aside(text))),
]

function seconds(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('Not a number of 0 or more.')
  return value
}

function aside(text: string): Aside {
  const folder = /^move:(.+)$/.exec(text)?.[1]
  if (folder !== undefined) return { move: folder }
  return text === 'keep' || text === 'delete' ? text : refuseAside('keep, delete or move:FOLDER')
}

function refuseAside(choices: string): never {
  throw new InvalidArgumentError(`Not ${choices}.`)
}
