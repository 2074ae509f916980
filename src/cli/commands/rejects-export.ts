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
    .description('export the original records, byte for byte, with a header line, to correct and load them')
    .argument('[id...]', 'ids in rejects list (default: all selected open ones)', wholes(1), [])
  for (const option of choiceOptions()) command.addOption(option)
  command
    .option(
      '--out <file>',
      'a new file instead of standard output; records with other columns go to more files beside it',
    )
    .option(
      '--excel-safe',
      'put an apostrophe before cells that a spreadsheet would read as formulas; this changes the records',
    )
  withExamples(command, [
    ['rejects export --load export.csv > bad.csv'],
    ['rejects export --code BAD_NUMBER --out bad.csv'],
  ])
  return command.action(async (ids: number[], flags: Flags) => {
    const { exportRejects } = await import('../../review/export.ts')
    await withLedger(flags.to, async (ledger) => {
      const seen = { rejects: 0, cut: 0 }
      const choice = await choiceOf(ledger, flags)
      const pages = () => chosenRejects(ledger, ids, choice)
      // What was printed, or written under a name, cannot be taken back.
      await using files = new Files(flags.out, await namedFile(flags.out, exportRejects(pages())))
      for await (const records of exportRejects(counting(pages(), seen), { excelSafe: flags.excelSafe }))
        await files.write(records)
      say('info', 'exported', { ...seen }, `exported ${counted(seen.rejects, 'record')}`)
      if (seen.cut > 0)
        say(
          'warn',
          'cut',
          { ...seen },
          `${counted(seen.cut, 'record')} cut at ${counted(maxRawBytes, 'byte')}: the rest was not kept`,
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

type FileKind = Pick<ExportedRecords, 'file' | 'suffix'>

/** The file that gets the name that is given: the first in the format of its suffix, or else the first of all. */
async function namedFile(out: string | undefined, records: AsyncIterable<FileKind>): Promise<FileKind> {
  let first: FileKind | undefined
  for await (const { file, suffix } of records) {
    if (out === undefined) requireFirst(file)
    else if (suffix === extname(out).toLowerCase()) return { file, suffix }
    first ??= { file, suffix }
  }
  return first ?? { file: 0, suffix: undefined }
}

/** Output files, each created with its first record. */
class Files implements AsyncDisposable {
  readonly #out: string | undefined
  readonly #named: FileKind
  readonly #open: FileHandle[] = []

  /** Undefined for standard output. */
  constructor(out: string | undefined, named: FileKind) {
    this.#out = out
    this.#named = named
  }

  async write({ file, suffix, bytes }: ExportedRecords): Promise<void> {
    if (this.#out === undefined) return writeOut(file, bytes)
    try {
      // An existing file may contain corrections.
      this.#open[file] ??= await open(this.#pathOf(this.#out, file, suffix), 'wx')
      await this.#open[file].write(bytes)
    } catch (cause) {
      throw new LadingError('OUTPUT_UNWRITABLE', cause instanceof Error ? cause.message : String(cause), {
        cause,
      })
    }
  }

  /** `bad.csv`, `bad-2.csv`, …; a file in another format has that format's suffix. */
  #pathOf(out: string, file: number, suffix: string | undefined): string {
    if (file === this.#named.file) return out
    const extension = extname(out)
    const own = suffix === this.#named.suffix ? extension : (suffix ?? extension)
    const number = file < this.#named.file ? file + 2 : file + 1
    return `${out.slice(0, out.length - extension.length)}-${number}${own}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#open) await file.close()
  }
}

/** Throws `USAGE` for records of a second file, of which standard output is none. */
function requireFirst(file: number): void {
  if (file > 0)
    throw new LadingError(
      'USAGE',
      'these rejects have several layouts: select some with --load, or use --out, which writes several files',
    )
}

async function writeOut(file: number, bytes: Buffer): Promise<void> {
  requireFirst(file)
  // On a terminal, escape characters that would control it.
  const text = process.stdout.isTTY ? visible(bytes.toString('utf8'), '\n') : bytes
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
