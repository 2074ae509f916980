/** Options of `load` alone. */
import { Option } from 'commander'
import { consumers } from '../run/default-consumers.ts'
import { whole } from './options.ts'

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
