/** Options of `consume --s3-events`. */
import { type Command, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { consumeOptions } from './consume.ts'
import { type TableFlags, tableOptions } from './options.ts'
import { type ReadingFlags, readingOptions } from './reading.ts'

export interface ObjectsFlags extends TableFlags, ReadingFlags {
  readonly s3Events?: readonly string[]
}

const eventsOption = () =>
  new Option(
    '--s3-events <url>',
    'messages are notifications of S3: load the objects that they name, below s3://BUCKET/FOLDER/; repeatable',
  ).argParser((url: string, earlier?: readonly string[]) => [...(earlier ?? []), url])

export const objectsOptions = (): readonly Option[] => [
  eventsOption(),
  ...tableOptions(),
  ...readingOptions(),
]

/** Throws `USAGE` for what says how objects are read, where none are. */
export function requireObjects(command: Command, { s3Events }: ObjectsFlags): void {
  if (s3Events !== undefined) return
  const ofMessages = new Set(consumeOptions().map((option) => option.attributeName()))
  const stated = objectsOptions().find(
    (option) =>
      !ofMessages.has(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === 'cli',
  )
  if (stated !== undefined)
    throw new LadingError(
      'USAGE',
      `${stated.long} is of objects that --s3-events names, and messages hold records`,
    )
}
