import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { listed } from '../../core/listed.ts'
import type { Inspection } from '../../infer/inspect.ts'
import type { ModelModule } from '../../infer/module.ts'
import { shownTable, type TableColumn, type TableName } from '../../model/table.ts'
import { exampleSinkUrl } from '../../sink/registry.ts'
import { withExamples } from '../settings/examples.ts'
import { quoted } from '../../core/shell.ts'
import { inspectFiles, type InspectFlags, inspectOptions } from '../settings/inspect.ts'
import { tableNamed } from '../settings/options.ts'
import { wholeArguments } from '../settings/reading-arguments.ts'
import { print } from '../terminal/output.ts'
import { say } from '../terminal/log.ts'

interface Flags extends InspectFlags {
  readonly fromTable?: string
  readonly output?: string
}

export function initCommand(command: Command): Command {
  command
    .argument('[file]', 'file whose records the model describes')
    .addOption(new Option('--from-table <url>', 'database whose table --table the model describes'))
    .addOption(new Option('-o, --output <file>', 'file to write, which must not exist (default: print it)'))
  for (const option of inspectOptions()) if (option.name() !== 'json') command.addOption(option)
  withExamples(command, [
    ['init orders.csv -o orders.ts'],
    [`init --from-table ${exampleSinkUrl} --table shop.orders -o orders.ts`],
  ])
  return command.action(async (file: string | undefined, flags: Flags) => {
    const { fromTable, output } = flags
    if ((file === undefined) === (fromTable === undefined))
      throw new LadingError('USAGE', 'name either a file or, with --from-table, a database')
    if (output !== undefined && !/\.[cm]?[jt]s$/.test(output))
      throw new LadingError('USAGE', `a model is a module: end the name ${output} with .ts or .js`)
    const inspection = file === undefined ? undefined : await inspected(file, flags)
    const { moduleText } = await import('../../infer/module.ts')
    const model =
      inspection === undefined ? await ofTable(fromTable as string, flags) : await ofFile(inspection, flags)
    const text = moduleText(model)
    if (output === undefined) print(text.trimEnd())
    else await writeNew(output, text)
    if (inspection === undefined) return
    const load = [
      `lading load ${quoted(inspection.source.path)} --model ${quoted(modelPath(output))}`,
      ...wholeArguments(inspection.source.path, inspection.reading),
    ].join(' ')
    say('info', 'next', { command: load }, load)
  })
}

async function inspected(file: string, flags: Flags): Promise<Inspection> {
  const { value } = await inspectFiles([file], flags).next()
  if ('error' in value) throw value.error
  return value
}

const modelPath = (output = 'model.ts'): string => (/[/\\]/.test(output) ? output : `./${output}`)

async function ofFile(inspection: Inspection, flags: Flags): Promise<ModelModule> {
  const { columnsOfInspection } = await import('../../infer/module.ts')
  const { model, key, questions, proposal } = inspection
  const { questionText } = await import('../../infer/decision.ts')
  const asked = [...questions, ...proposal.columns.flatMap(({ question }) => question ?? [])]
  return {
    table: model.table,
    schema: flags.table === undefined ? undefined : tableNamed(flags.table).schema,
    columns: columnsOfInspection(inspection),
    primaryKey: model.primaryKey,
    comments: [
      ...asked.map((question) => questionText(question)),
      ...(key === undefined || model.primaryKey.length > 0
        ? []
        : [`primaryKey: ['${key.column}'] is possible: ${key.because}`]),
    ],
  }
}

async function ofTable(url: string, { table }: Flags): Promise<ModelModule> {
  if (table === undefined) throw new LadingError('USAGE', '--from-table needs --table, the name of the table')
  const [{ openSink }, { columnsOfTable, modelOfModule }] = await Promise.all([
    import('../../sink/registry.ts'),
    import('../../infer/module.ts'),
  ])
  const name = tableNamed(table)
  await using sink = await openSink(url)
  const facts = await sink.table?.(name)
  if (facts === undefined)
    throw new LadingError('SCHEMA_MISMATCH', `there is no table ${shownTable(name)} in ${sink.place}`)
  const columns = columnsOfTable(facts)
  const key = facts.keys.find(({ primary, unfit }) => primary && unfit === undefined)?.columns ?? []
  const isWhole = key.every((each) => columns.some((column) => column.name === each))
  const module = {
    table: facts.table,
    schema: facts.schema,
    columns: columns.map((column) => ({ ...column, notNull: column.notNull || key.includes(column.name) })),
    primaryKey: isWhole ? key : [],
    comments: facts.columns.flatMap((column) => leftOut(column)),
  }
  const model = modelOfModule(module)
  requireUsable(name, Array.isArray(model) ? model : ((await sink.misfits?.(model)) ?? []))
  return module
}

const leftOut = ({ name, generated, type: { problem } }: TableColumn): string[] =>
  generated || problem?.() === undefined ? [] : [`Without column ${name}: ${problem()}`]

const mostListed = 20

/** A load without a model looks at each value by the column that it goes to, which a model's types cannot state. */
function requireUsable(name: TableName, problems: readonly string[]): void {
  if (problems.length > 0)
    throw new LadingError(
      'SCHEMA_MISMATCH',
      `no model fits table ${shownTable(name)} as it is: ${listed(problems, mostListed, '; ')}. A load without a model looks at each value instead: lading load FILE --to … --table ${quoted(shownTable(name))}`,
    )
}

/** Never over a file that a person has changed. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' })
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
    throw new LadingError(
      'OUTPUT_UNWRITABLE',
      `${path}: ${isThere ? 'the file exists already' : (error as Error).message}`,
      { cause: error },
    )
  }
}
