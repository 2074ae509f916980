/** Options of `load` alone. */
import { Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { consumers } from '../run/default-consumers.ts'
import { whole } from './options.ts'

export interface AppendFlags {
  readonly append?: boolean
  readonly ended?: boolean
  readonly rotated?: boolean
}

/** Throws `USAGE` for standard input. */
export function appendSettings(paths: readonly string[], { append, ended, rotated }: AppendFlags) {
  if (append === true && paths.includes('-'))
    throw new LadingError('USAGE', '--append reads files again that grow, and standard input is read once')
  return append === true ? { append, ended: ended === true, rotated: rotated === true } : {}
}

export const loadOptions = () => [
  new Option(
    '--defer-indexes <when>',
    'build the indexes of an empty table, including its key, after the load, if the database can; auto: for files of 32 MiB and more',
  )
    .choices(['auto', 'always', 'never'])
    .default('auto'),
  new Option(
    '--fresh',
    'delete what the ledger has of these files, including their rejects, and load them from scratch; for an emptied or dropped table (--again keeps what was loaded)',
  ).conflicts('again'),
  new Option(
    '--append',
    'load what was added to these files since they were loaded; a last record without a line end waits for the next run',
  ).conflicts(['again', 'fresh', 'dryRun', 'limit']),
  new Option(
    '--ended',
    'with --append: nothing more comes, and the last record is loaded without a line end, too',
  ),
  new Option(
    '--rotated',
    'with --append: a file that does not begin with what was loaded of it was begun anew, and is loaded from its beginning',
  ),
  new Option(
    '--replace',
    'replace the rows of the table by those of the files, in one transaction at the end; a rejected record keeps the old rows, unless --allow-rejects',
  ).conflicts(['again', 'append', 'dryRun', 'limit', 'consumers']),
  new Option(
    '--limit <n>',
    'load the first n records of each file; the same command without it loads the rest',
  )
    .argParser(whole(1))
    .conflicts('dryRun'),
  new Option('--dry-run', 'show what would be loaded and rejected; decodes every record, and writes nothing'),
  new Option(
    '--consumers <n>',
    'number of consumers; more than one run as separate processes (default: by cores, files and database)',
  ).argParser(consumers),
]
