import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Command } from 'commander'
import { LadingError } from '../../core/errors.ts'
import type { StoredReject } from '../../sink/ledger.ts'
import { withExamples } from '../settings/examples.ts'
import { findReject, keptModels, replayOf, withSink } from '../run/ledger.ts'
import { loadModel, usualModel } from '../settings/model.ts'
import { keptModelOption, toOption, whole } from '../settings/options.ts'
import { print } from '../terminal/output.ts'

interface Flags {
  readonly to: string
  readonly model?: string
  readonly record?: string
}

export function editCommand(): Command {
  const edit = new Command('edit')
    .description('correct the record of a reject in $VISUAL or $EDITOR; the original record is kept')
    .argument('<id>', 'id in rejects list', whole(1))
    .option('--record <text>', "the corrected record; '-' reads it from standard input")
  for (const option of [toOption(), keptModelOption()]) edit.addOption(option)
  withExamples(edit, [
    ['rejects edit 7 ; lading rejects replay 7'],
    ["rejects edit 7 --record '2021-01-01 00:00:07+00,a,12.5'"],
    ['rejects edit 7 --model ./my-model.ts', 'masks what you type into masked fields'],
  ])
  return edit.action(async (id: number, flags: Flags) => {
    const [{ editReject }, models, masksNothing] = await Promise.all([
      import('../../review/rejects.ts'),
      keptModels({ model: flags.model }),
      loadModel(usualModel),
    ])
    await withSink(flags.to, undefined, async (sink) => {
      const reject = await findReject(sink.ledger, id)
      requireOpen(reject)
      const text = Buffer.from(reject.edited ?? reject.raw)
      const record = flags.record === undefined ? await inEditor(text) : await given(flags.record)
      if (record.equals(text)) return print('nothing was changed')
      const model = models.model ?? models.usual.get(reject.pipeline) ?? masksNothing
      if (!(await editReject(reject, record, { sink, model }))) requireOpen(await findReject(sink.ledger, id))
      print(`kept; ${await replayOf(reject, models)}`)
    })
  })
}

function requireOpen({ id, state }: StoredReject): void {
  if (state !== 'open') throw new LadingError('NOT_FOUND', `reject ${id} is no longer open: it was ${state}`)
}

const given = (record: string): Promise<Buffer> | Buffer =>
  record === '-' ? buffer(process.stdin) : Buffer.from(record)

/** Edits the record in a private temporary file. */
async function inEditor(text: Buffer): Promise<Buffer> {
  const editor = [process.env['VISUAL'], process.env['EDITOR']].find(
    (each) => each !== undefined && each !== '',
  )
  if (editor === undefined)
    throw new LadingError('USAGE', 'set VISUAL or EDITOR, or give the record with --record')
  const folder = await mkdtemp(join(tmpdir(), 'lading-edit-'))
  const path = join(folder, 'record.txt')
  // Ctrl-C in an editor is for the editor.
  const ignore = () => undefined
  process.on('SIGINT', ignore)
  try {
    await writeFile(path, Buffer.concat([text, Buffer.from('\n')]), { mode: 0o600 })
    // Through the shell, as usual, because it may be a command with arguments.
    const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit' })
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0)
      throw new LadingError('ABORTED', `the editor ended with ${code ?? 'a signal'}; nothing was changed`)
    const edited = await readFile(path)
    return edited.at(-1) === 10 ? edited.subarray(0, -1) : edited
  } finally {
    process.off('SIGINT', ignore)
    await rm(folder, { recursive: true, force: true })
  }
}
