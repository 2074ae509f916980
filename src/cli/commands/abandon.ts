import type { Command } from 'commander'
import { LadingError } from '../../core/errors.ts'
import type { Receipt } from '../../sink/ledger.ts'
import { balance } from '../../sink/receipt.ts'
import type { Sink } from '../../sink/sink.ts'
import { withExamples } from '../settings/examples.ts'
import { hint } from '../settings/hint.ts'
import { jsonOption, loadName, pipelineOption, stateOption, toOption } from '../settings/options.ts'
import { withSink } from '../run/ledger.ts'
import { forgetPlans, loadsNamed, receiptsOf } from '../run/planned.ts'
import { count, counted, print, printJson, shortId, visible } from '../terminal/output.ts'

interface Flags {
  readonly to: string
  readonly pipeline?: string
  readonly state: string
  readonly json?: boolean
}

/** A load that was given up, and the records that it leaves out. */
type GivenUp = Pick<Receipt, 'loadId' | 'source' | 'records'> & { readonly leftOut: number }

export function abandonCommand(command: Command): Command {
  command.argument(
    '<load>',
    'the beginning of its id, or its file, of which all open loads are meant',
    loadName,
  )
  for (const option of [toOption(), pipelineOption(), stateOption(), jsonOption()]) command.addOption(option)
  withExamples(command, [
    ['abandon 4fc3ab34', 'its file was corrected, and is loaded as another load'],
    ['abandon big.csv'],
  ])
  return command.action((name: string, flags: Flags) =>
    withSink(flags.to, undefined, async (sink) => {
      const open = await openLoads(sink, name, flags)
      if (open.length === 0)
        throw new LadingError('NOT_FOUND', `of ${name} no load is open: there is nothing to give up`)
      const all: GivenUp[] = []
      for (const receipt of open) all.push(await giveUp(sink, receipt))
      await forgetPlans(
        { state: flags.state, place: sink.place },
        all.map(({ loadId }) => loadId),
      )
      if (flags.json) return printJson(all)
      for (const { loadId, source, records, leftOut } of all)
        print(
          `gave up load ${shortId(loadId)} of ${visible(source)}: ${count(leftOut)} of ${counted(records, 'record')} are left out`,
        )
    }),
  )
}

async function openLoads(sink: Sink, name: string, flags: Flags): Promise<readonly Receipt[]> {
  const open: Receipt[] = []
  for await (const receipt of receiptsOf(sink, await loadsNamed(sink, name, flags), flags))
    if (receipt.chunksDone < receipt.chunks || receipt.dead > 0) open.push(receipt)
  return open
}

async function giveUp({ ledger }: Sink, receipt: Receipt): Promise<GivenUp> {
  const { loadId, pipeline, source, records, dead } = receipt
  if ((await ledger.abandon?.(pipeline, { id: loadId, ...receipt })) === 'letters')
    throw new LadingError(
      'USAGE',
      `load ${shortId(loadId)} of ${source} has dead letters, which could still be loaded; replay or discard them first: ${hint('dead list')}`,
    )
  return { loadId, source, records, leftOut: balance(receipt).open + dead }
}
