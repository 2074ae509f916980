/** Options of commands that look at files alone, and how they do it. */
import { Command } from 'commander'
import { LadingError, toLadingError } from '../../core/errors.ts'
import type { Inspection } from '../../infer/inspect.ts'
import type { Source } from '../../source/source.ts'
import type { StatedTypes } from '../../infer/profile/propose.ts'
import { sqlName } from '../../model/match.ts'
import { stopSignal } from '../run/signals.ts'
import {
  columnsNamed,
  jsonOption,
  keyOption,
  tableNamed,
  tableOption,
  type TypeFlags,
  typeOptions,
  typeSettings,
} from './options.ts'
import { type ReadingFlags, readingOptions, readingSettings } from './reading.ts'

export const inspectOptions = () => [
  ...readingOptions(),
  ...typeOptions(),
  tableOption(),
  keyOption(),
  jsonOption(),
]

export interface InspectFlags extends ReadingFlags, TypeFlags {
  readonly table?: string
  readonly key?: string
}

/** The flags of these words. */
export function inspectFlags(words: readonly string[]): InspectFlags {
  const command = new Command()
  for (const option of inspectOptions()) command.addOption(option)
  return command.parse(words, { from: 'user' }).opts()
}

/** What of the flags is stated of the columns. */
export const columnSettings = (flags: InspectFlags): StatedTypes & { readonly key?: readonly string[] } => ({
  ...typeSettings(flags),
  ...(flags.key !== undefined && { key: columnsNamed(flags.key) }),
})

/** Each file by itself. */
export async function* inspectFiles(
  paths: readonly string[],
  flags: InspectFlags,
): AsyncGenerator<Inspection | Uninspected> {
  const [{ inspect, stemOf }, { namedSources }, { otherSuffixes, suffixesOf }] = await Promise.all([
    import('../../infer/inspect.ts'),
    import('../../source/registry.ts'),
    import('../../format/registry.ts'),
  ])
  if (paths.includes('-'))
    throw new LadingError('USAGE', 'standard input cannot be read twice: write it to a file first')
  const stated = readingSettings(flags)
  const { format } = stated
  const options = { ...columnSettings(flags), signal: stopSignal() }
  for (const source of await namedSources(paths, suffixesOf(format), { others: otherSuffixes(format) })) {
    const name = flags.table === undefined ? sqlName(stemOf(source)) : tableNamed(flags.table).table
    try {
      await source.state()
      yield await inspect(source, stated, name === '' ? 'records' : name, options)
    } catch (error) {
      options.signal.throwIfAborted()
      yield { source, error: toLadingError(error) }
    }
  }
}

/** A file that cannot be read at all. */
export interface Uninspected {
  readonly source: Source
  readonly error: LadingError
}
