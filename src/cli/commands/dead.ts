import { exampleSinkUrl } from '../../sink/registry.ts'
import { Command, Option } from 'commander'
import type { DedupKey } from '../../consumer/decode/identity.ts'
import { exits } from '../../core/errors.ts'
import type { StoredDeadLetter } from '../../sink/ledger.ts'
import type { Verdict } from '../../sink/sink.ts'
import { chosenKept, findKept, keptLetters } from '../../review/kept.ts'
import { withExamples } from '../settings/examples.ts'
import { PassedOver, refusalOf, withKeptModels, withLedger, withoutModel } from '../run/ledger.ts'
import {
  dedupKeyOption,
  ignoreExtraOption,
  type InsideFlags,
  insideOptions,
  insideSettings,
  jsonOption,
  keptModelOption,
  pipelineOption,
  rootOption,
  type TableFlags,
  tableOptions,
  toOption,
  whole,
  wholes,
} from '../settings/options.ts'
import { bytesAsText, counted, print, printJson, table, visible } from '../terminal/output.ts'
import { reporter } from '../terminal/report.ts'
import { cutEnd, cutMiddle } from '../terminal/width.ts'

interface Flags extends InsideFlags, TableFlags {
  readonly to: string
  readonly model?: string
  readonly pipeline?: string
  readonly ignoreExtra?: boolean
  readonly dedupKey: DedupKey
  readonly root: string
  readonly all?: boolean
  readonly limit: number
  readonly json?: boolean
}

export function deadCommand(dead: Command): Command {
  const list = new Command('list')
    .description('list messages that could not be processed')
    .addOption(toOption())
    .option('--all', 'include replayed and discarded ones')
    .addOption(new Option('--limit <n>', 'most entries to list').default(100).argParser(whole(1)))
    .addOption(jsonOption())
    .action((flags: Flags) =>
      withLedger(flags.to, async (ledger) => {
        const letters = await ledger.deadLetters({ all: flags.all === true, limit: flags.limit })
        if (flags.json) return printJson(letters.map(summary))
        if (letters.length === 0) return print('no dead letters')
        const rows = letters.map((letter) => [
          String(letter.id),
          letter.key,
          letter.state,
          letter.records,
          letter.code,
          letter.detail,
        ])
        const head = ['id', 'key', 'state', 'records', 'code', 'detail']
        for (const line of table(head, rows, { key: cutMiddle, detail: cutEnd })) print(line)
      }),
    )
  const show = new Command('show')
    .description('show one dead letter with its headers and body')
    .argument('<id>', 'id in dead list', whole(1))
    .addOption(toOption())
    .addOption(jsonOption())
    .action((id: number, flags: Flags) =>
      withLedger(flags.to, async (ledger) => {
        const letter = await findKept(keptLetters, ledger, id)
        const body = bytesAsText(Buffer.from(letter.body))
        if (flags.json) return printJson({ ...summary(letter), headers: letter.headers, body })
        print(
          `${letter.key}: ${letter.code}, delivered ${counted(letter.attempts, 'time')}, ${letter.state} at ${letter.at}`,
        )
        print(`  ${visible(letter.detail)}`)
        for (const [name, value] of Object.entries(letter.headers))
          print(`  ${visible(name)}: ${visible(value)}`)
        print(`  ${visible(body)}`)
      }),
    )
  withExamples(list, [[`dead list --to ${exampleSinkUrl}`], ['dead list --all --json']])
  withExamples(show, [['dead show 2', 'number 2 of dead list']])
  dead.addCommand(list).addCommand(show).addCommand(replayCommand()).addCommand(discardCommand())
  return withExamples(dead, [
    ['dead list'],
    ['dead show 2', 'number 2 of the list'],
    ['dead replay 2 --model ./my-model.ts'],
  ])
}

function replayCommand(): Command {
  const command = new Command('replay')
    .description('process dead letters again, after the cause is fixed; safe to repeat')
    .argument('[id...]', 'ids in dead list (default: all)', wholes(1), [])
  for (const option of [
    toOption(),
    keptModelOption(),
    ...tableOptions(),
    pipelineOption(),
    ignoreExtraOption(),
    dedupKeyOption(),
    ...insideOptions(),
    rootOption(),
    jsonOption(),
  ])
    command.addOption(option)
  withExamples(command, [
    ['dead replay', 'all of them'],
    ['dead replay 2 5 --model ./my-model.ts', 'two of them, with their model'],
  ])
  return command.action(async (ids: number[], flags: Flags) => {
    const { replayAnyLetter } = await import('../../review/replay.ts')
    await withKeptModels(flags, async (sink, models, given) => {
      const results: { id: number; verdict: Verdict }[] = []
      const passed = new PassedOver()
      const { ignoreExtra, dedupKey, root, pipeline } = flags
      const asked = pipeline ?? given.ofModel ?? given.ofTable
      const options = {
        sink,
        models,
        pipeline,
        ignoreExtra,
        dedupKey,
        root,
        ...insideSettings(flags),
        onEvent: reporter(),
      }
      // Skip dead letters of other pipelines, unless their ids were given.
      for await (const letters of chosenKept(keptLetters, sink.ledger, ids, { pipeline: asked }))
        for (const letter of letters) {
          const replayed = await replayAnyLetter(letter, options)
          if (replayed === undefined && ids.length === 0) {
            passed.add(letter)
            continue
          }
          const verdict = replayed ?? withoutModel(letter)
          results.push({ id: letter.id, verdict })
          if (!flags.json) print(`${letter.id}: ${words(verdict)}`)
        }
      if (flags.json) printJson(results)
      else passed.print('dead letter', results.length === 0, asked)
      if (results.some(({ verdict }) => verdict.kind === 'refused')) process.exitCode = exits.rejects
    })
  })
}

function discardCommand(): Command {
  const discard = new Command('discard')
    .description('hide dead letters that will never be loaded; their records still count as dead')
    .argument('<id...>', 'ids in dead list', wholes(1), [])
    .addOption(toOption())
  withExamples(discard, [['dead discard 2 5']])
  return discard.action((ids: number[], flags: Flags) =>
    withLedger(flags.to, async (ledger) => {
      for (const id of ids) await findKept(keptLetters, ledger, id)
      print(`discarded ${counted(await ledger.discardDeadLetters(ids), 'dead letter')}`)
    }),
  )
}

function words(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'applied':
      return `loaded ${verdict.loaded}, rejected ${verdict.rejected}, skipped ${verdict.skipped}`
    case 'duplicate':
      return 'it was already applied'
    case 'refused':
      return `still dead: ${refusalOf(verdict)}`
  }
}

const summary = ({ body: _body, headers: _headers, load: _load, ...rest }: StoredDeadLetter) => rest
