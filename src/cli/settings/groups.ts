/** Help in groups: under which heading an option stands, and whether only `--help-all` shows it. */
import { type Command, Option } from 'commander'

const place = 'Target and queue:'
const files = 'Files and how they are written:'
const table = 'Table and types:'
const records = 'What happens to records:'
const choice = 'Which ones:'
const made = 'What to generate:'
const run = 'Run:'
const watching = 'Watching:'
const output = 'Output:'

/** Of commands, in the help of `lading` itself; the others are of every day. */
const ofCommands: Readonly<Record<string, readonly string[]>> = {
  'Load files:': ['load', 'inspect', 'doctor', 'init', 'generate'],
  'Queues between processes:': ['produce', 'consume', 'peek'],
  'See and correct:': ['status', 'verify', 'rejects', 'dead', 'ui', 'abandon', 'prune'],
}

export const headingOf = (command: string): string =>
  Object.keys(ofCommands).find((heading) => ofCommands[heading]?.includes(command)) ?? 'Every day:'

interface Group {
  readonly heading: string
  /** Tuning, or rare. */
  readonly isRare: boolean
}

const usual = (heading: string): Group => ({ heading, isRare: false })
const rare = (heading: string): Group => ({ heading, isRare: true })

/**
 * By the long name of the option, in the order of the help: the most used first. With the command's name
 * before it, for that command only.
 */
export const groups: Readonly<Record<string, Group>> = {
  to: usual(place),
  'from-table': usual(place),
  queue: usual(place),
  's3-events': usual(place),
  model: usual(place),
  pipeline: rare(place),
  'no-create': rare(place),
  carry: rare(place),
  root: rare(place),
  state: rare(place),

  format: usual(files),
  records: usual(files),
  unwrap: rare(files),
  encoding: usual(files),
  delimiter: usual(files),
  'no-header': usual(files),
  'header-rows': rare(files),
  'skip-lines': rare(files),
  'footer-lines': rare(files),
  comment: rare(files),
  quote: rare(files),
  escape: rare(files),
  multiline: rare(files),
  'no-multiline': rare(files),
  trim: rare(files),
  'no-trim': rare(files),
  ragged: rare(files),
  'blank-lines': rare(files),
  'line-end': rare(files),
  decimal: rare(files),
  thousands: rare(files),
  'date-format': usual(files),
  null: rare(files),
  money: rare(files),
  round: rare(files),
  'excel-text': rare(files),
  name: rare(files),

  table: usual(table),
  key: usual(table),
  'on-conflict': usual(table),
  zone: rare(table),
  columns: usual(table),
  types: rare(table),
  'defer-indexes': rare(table),

  'skip-when': usual(records),
  'allow-rejects': usual(records),
  'ignore-extra': rare(records),
  'dedup-key': rare(records),
  'max-attempts': rare(records),
  'message-attempts': rare(records),
  'batch-attempts': rare(records),
  'retry-pause': rare(records),
  'set-aside': rare(records),
  record: usual(records),

  load: usual(choice),
  code: usual(choice),
  column: usual(choice),
  search: usual(choice),
  all: usual(choice),
  'run all': usual(choice),
  limit: usual(choice),
  after: usual(choice),
  'older-than': usual(choice),
  what: usual(choice),
  open: usual(choice),

  sensors: usual(made),
  'sensors records': usual(made),
  interval: usual(made),
  start: usual(made),
  timezone: usual(made),
  dir: usual(made),
  count: usual(made),
  broken: usual(made),
  duplicates: usual(made),
  'to-file': usual(made),
  'logins queue': usual(made),
  seed: rare(made),

  'dry-run': usual(run),
  'load limit': usual(run),
  append: usual(run),
  replace: usual(run),
  ended: rare(run),
  rotated: rare(run),
  again: usual(run),
  fresh: rare(run),
  'read-all': rare(run),
  'until-empty': usual(run),
  batches: usual(run),
  'idle-timeout': usual(run),
  consumers: rare(run),
  concurrency: usual(run),
  'republish-missing': usual(run),
  'with-triggers': usual(run),
  'chunk-bytes': rare(run),
  'batch-messages': rare(run),
  'start-timeout': rare(run),

  http: usual(watching),
  'http-token': rare(watching),
  'http-name': rare(watching),
  'http-linger': rare(watching),
  'stall-after': rare(watching),
  watch: usual(watching),
  'status watch': usual(watching),
  settle: rare(watching),
  done: rare(watching),
  failed: rare(watching),

  output: usual(output),
  out: usual(output),
  'excel-safe': usual(output),
  summary: usual(output),
  schema: usual(output),
  json: usual(output),
  quiet: usual(output),
  'log-level': rare(output),
  'log-format': rare(output),
  'help-all': usual(output),
}

const places = new Map(Object.keys(groups).map((name, at) => [name, at]))

/** The entry of an option of the command in the table. */
function entryOf(command: Command, { long }: Option): string {
  const name = long?.slice(2) ?? ''
  const own = `${command.name()} ${name}`
  return own in groups ? own : name
}

/** Whether its name means something else in this command than in others. */
export const hasOwnMeaning = (command: Command, option: Option): boolean =>
  entryOf(command, option).includes(' ')

export const groupOf = (command: Command, option: Option): Group | undefined =>
  groups[entryOf(command, option)]

/** Groups the options of a command in its help, and adds `--help-all`. */
export function inGroups(command: Command): void {
  const options = command.addOption(new Option('--help-all', 'show every option, and all about it'))
    .options as Option[]
  const placeOf = (option: Option) => places.get(entryOf(command, option)) ?? places.size
  options.sort((a, b) => placeOf(a) - placeOf(b))
  for (const option of options) option.helpGroup(groupOf(command, option)?.heading ?? output)
  command.addHelpOption(new Option('-h, --help', 'show the usual options').helpGroup(output))
  // The event comes while the options are parsed: no argument is missing yet.
  command.on('option:help-all', () => {
    command.configureHelp({})
    command.help()
  })
  const isWhole = () => command.configureHelp().optionDescription !== shortly
  const rest = options.filter((option) => groupOf(command, option)?.isRare === true)
  command
    .configureHelp({ optionDescription: shortly })
    .addHelpText('before', () => {
      // Not before: what is hidden is not proposed for a word that is misspelt.
      for (const option of rest) option.hideHelp(!isWhole())
      return ''
    })
    .addHelpText('after', () =>
      isWhole() ? '' : `\n${rest.length} more options, for tuning and rare cases: --help-all`,
    )
}

/** What an option is for, without what a semicolon sets apart, and its default or its choices. */
function shortly({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const [purpose = ''] = description.split(/; | \((?=default)/)
  const stated =
    defaultValueDescription ??
    (['string', 'number'].includes(typeof defaultValue) ? String(defaultValue) : '')
  const preset = stated || /\(default: (.*?)\)(?= |$)/.exec(description)?.[1]
  const choices = argChoices?.join(', ') ?? ''
  const notes = [choices, preset === undefined ? '' : `default: ${preset}`].filter((note) => note !== '')
  return notes.length === 0 ? purpose : `${purpose} (${notes.join('; ')})`
}
