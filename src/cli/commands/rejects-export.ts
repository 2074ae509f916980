import { once } from 'node:events'
import { open, type FileHandle } from 'node:fs/promises'
import { extname } from 'node:path'
import { Command } from 'commander'
import type { ExportedRecords } from '../../review/export.ts'
import { maxRawBytes } from '../../core/fault.ts'
import { LadingError } from '../../core/errors.ts'
import type { StoredReject } from '../../sink/ledger.ts'
import { withExamples } from '../settings/examples.ts'
import { type ChoiceFlags, choiceOf, choiceOptions, chosenRejects, withLedger } from '../run/ledger.ts'
import { say } from '../terminal/log.ts'
import { wholes } from '../settings/options.ts'
import { counted, visible } from '../terminal/output.ts'

interface Flags extends ChoiceFlags {
  readonly out?: string
  readonly excelSafe?: boolean
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('the records as they came, byte for byte, with a header line, to be mended and loaded')
    .argument('[id...]', 'as rejects list shows them; without, all open ones that are chosen', wholes(1), [])
  for (const option of choiceOptions()) command.addOption(option)
  command
    .option(
      '--out <file>',
      'a new file instead of standard output; records of other columns go to files of their own beside it',
    )
    .option(
      '--excel-safe',
      'an apostrophe before cells that a spreadsheet would take for a formula, which changes the records',
    )
  withExamples(command, [
    ['rejects export --load export.csv > bad.csv'],
    ['rejects export --code BAD_NUMBER --out bad.csv'],
  ])
  return command.action(async (ids: number[], flags: Flags) => {
    const { exportRejects } = await import('../../review/export.ts')
    await withLedger(flags.to, async (ledger) => {
      await using files = new Files(flags.out)
      const seen = { rejects: 0, cut: 0 }
      const pages = counting(chosenRejects(ledger, ids, await choiceOf(ledger, flags)), seen)
      for await (const records of exportRejects(pages, { excelSafe: flags.excelSafe }))
        await files.write(records)
      say('info', 'exported', { ...seen }, `exported ${counted(seen.rejects, 'record')}`)
      if (seen.cut > 0)
        say(
          'warn',
          'cut',
          { ...seen },
          `${counted(seen.cut, 'record')} cut at ${counted(maxRawBytes, 'byte')}: no more was kept`,
        )
    })
  })
}

async function* counting(
  pages: AsyncIterable<readonly StoredReject[]>,
  seen: { rejects: number; cut: number },
) {
  for await (const page of pages) {
    seen.rejects += page.length
    seen.cut += page.filter(({ raw }) => raw.length >= maxRawBytes).length
    yield page
  }
}

/** Files that are made when their first record comes. */
class Files implements AsyncDisposable {
  readonly #out: string | undefined
  readonly #open: FileHandle[] = []
  #firstSuffix: string | undefined

  /** Standard output without a path. */
  constructor(out: string | undefined) {
    this.#out = out
  }

  async write({ file, suffix, bytes }: ExportedRecords): Promise<void> {
    if (this.#out === undefined) return writeOut(file, bytes)
    try {
      // What is there already may have been mended.
      this.#open[file] ??= await open(this.#pathOf(this.#out, file, suffix), 'wx')
      await this.#open[file].write(bytes)
    } catch (cause) {
      throw new LadingError('OUTPUT_UNWRITABLE', cause instanceof Error ? cause.message : String(cause), {
        cause,
      })
    }
  }

  /** `bad.csv`, `bad-2.csv`, …; one of another format than the first has the suffix of its own. */
  #pathOf(out: string, file: number, suffix: string | undefined): string {
    if (file === 0) {
      this.#firstSuffix = suffix
      return out
    }
    const extension = extname(out)
    const own = suffix === this.#firstSuffix ? extension : (suffix ?? extension)
    return `${out.slice(0, out.length - extension.length)}-${file + 1}${own}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#open) await file.close()
  }
}

async function writeOut(file: number, bytes: Buffer): Promise<void> {
  if (file > 0) {
    throw new LadingError(
      'USAGE',
      'these rejects are written in several ways: choose some with --load, or use --out, which makes several files',
    )
  }
  // A terminal is no file: what comes from data does not steer it.
  const text = process.stdout.isTTY ? visible(bytes.toString('utf8'), '\n') : bytes
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
