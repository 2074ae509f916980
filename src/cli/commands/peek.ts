import { Command } from 'commander'
import type { DedupKey } from '../../consumer/decode/identity.ts'
import type { Outlook, Preview, PreviewedChunk } from '../../review/preview.ts'
import { tableName } from '../../model/model.ts'
import type { Value } from '../../model/value.ts'
import { requireSharedQueue } from '../settings/files.ts'
import { withExamples } from '../settings/examples.ts'
import { loadModel } from '../settings/model.ts'
import {
  dedupKeyOption,
  ignoreExtraOption,
  type InsideFlags,
  insideOptions,
  insideSettings,
  jsonOption,
  modelOption,
  pipelineOption,
  queueOption,
  rootOption,
  whole,
} from '../settings/options.ts'
import { count, counted, print, printJson, table, visible } from '../terminal/output.ts'
import { reporter } from '../terminal/report.ts'
import { stopSignal } from '../run/signals.ts'

interface Flags extends InsideFlags {
  readonly queue: string
  readonly model: string
  readonly pipeline?: string
  readonly ignoreExtra?: boolean
  readonly dedupKey: DedupKey
  readonly root: string
  readonly json?: boolean
}

const note = `

Peeking settles and creates nothing. A broker shows messages only by delivering them: each look counts as a delivery (see
--max-attempts of lading consume), other consumers miss the messages for a moment, and the order may vary. Values appear as the
model decodes them, masked if the model masks them. For a refused message only the reason appears. Peeking asks no database, so
it cannot recognize duplicates.`

export function peekCommand(command: Command): Command {
  command.argument('[n]', 'number of messages', whole(1), 10)
  const options = [
    modelOption(),
    queueOption(),
    pipelineOption(),
    ignoreExtraOption(),
    dedupKeyOption(),
    ...insideOptions(),
    rootOption(),
    jsonOption(),
  ]
  for (const option of options) command.addOption(option)
  withExamples(command, [['peek'], ['peek 3 --model ./my-model.ts --json']], note)
  return command.action(async (n: number, flags: Flags) => {
    requireSharedQueue(flags.queue)
    const [{ preview }, { openQueue }, model] = await Promise.all([
      import('../../review/preview.ts'),
      import('../../queue/registry.ts'),
      loadModel(flags.model),
    ])
    const { pipeline, ignoreExtra, dedupKey, root } = flags
    const signal = stopSignal()
    // An empty queue and a missing one need different answers.
    await using queue = await openQueue(flags.queue, { create: false, onEvent: reporter() })
    const previews = await preview(await queue.peek(n, { signal }), {
      model,
      pipeline,
      ignoreExtra,
      dedupKey,
      root,
      ...insideSettings(flags),
    })
    if (flags.json) printJson(previews.map(asJson))
    else printPreviews(previews, tableName(model))
  })
}

/** 64-bit integers as text, because JSON readers would round them. */
const asJson = ({ outlook, ...message }: Preview) => ({
  ...message,
  outlook:
    outlook.kind === 'rows'
      ? { ...outlook, rows: outlook.rows.map((row) => mapValues(row, exact)) }
      : outlook,
})

const exact = (value: Value): Value => (typeof value === 'bigint' ? String(value) : value)

const mapValues = <A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))

function printPreviews(previews: readonly Preview[], target: string): void {
  if (previews.length === 0) return print('no messages')
  const lines = previews.map(({ key, bytes, attempt, chunk, encoding, outlook }, index) => [
    index + 1,
    shortened(key),
    bytes,
    attempt,
    chunk === undefined ? messageWords(encoding) : chunkWords(chunk),
    verdict(outlook, target),
  ])
  for (const line of table(['#', 'key', 'bytes', 'delivered', 'what', 'verdict'], lines)) print(line)
  const decoded = previews.map(({ outlook }) => (outlook.kind === 'rows' ? outlook : undefined))
  const rows = decoded.flatMap((each, index) => (each?.rows ?? []).map((row) => ({ index, row })))
  if (rows[0] !== undefined) {
    const names = Object.keys(rows[0].row)
    print('')
    for (const line of table(
      ['#', ...names],
      rows.map(({ index, row }) => [index + 1, ...names.map((name) => cellOf(row[name] ?? null))]),
    ))
      print(line)
  }
  const rejects = decoded.flatMap((each, index) =>
    (each?.rejects ?? []).map((reject) => ({ index, ...reject })),
  )
  if (rejects.length === 0) return
  print('')
  const reasons = rejects.map(({ index, record, line, column, code, meaning }) => [
    index + 1,
    record,
    line,
    column ?? '',
    code,
    meaning,
  ])
  for (const line of table(['#', 'record', 'line', 'column', 'code', 'meaning'], reasons)) print(line)
}

const messageWords = (encoding: string | undefined): string =>
  encoding === undefined ? 'message' : `message (${visible(encoding)})`

const chunkWords = ({ source, chunk, pipeline }: PreviewedChunk): string =>
  `chunk ${chunk} of ${source}, pipeline ${pipeline}`

function verdict(outlook: Outlook, target: string): string {
  switch (outlook.kind) {
    case 'rows': {
      const { records, rejected, filtered } = outlook
      const others = [
        ...(rejected === 0 ? [] : [`, ${count(rejected)} rejected`]),
        ...(filtered === 0 ? [] : [`, ${count(filtered)} left out on purpose`]),
      ]
      return `${counted(records - rejected - filtered, 'record')} for ${target}${others.join('')}`
    }
    case 'foreign':
      return `left to the consumer of pipeline ${outlook.pipeline}`
    case 'dead':
      return `dead letter ${outlook.code}: ${outlook.detail}`
    case 'held':
      return `stays in the queue, ${outlook.code}: ${outlook.detail}`
  }
}

const mostCharacters = 40

function shortened(text: string): string {
  const characters = [...visible(text)]
  return characters.length <= mostCharacters ? text : `${characters.slice(0, mostCharacters - 1).join('')}…`
}

const cellOf = (value: Value): string => (value === null ? 'NULL' : shortened(String(value)))
