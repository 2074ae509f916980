/** Files that come together: one that is at fault keeps no other out, and what is no file's fault ends them all. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { loadApart } from '../../src/load/apart.ts'
import { Fixture } from '../support/fixture.ts'
import { untouched, wrapSink } from '../support/wrappers.ts'

const fileAt = (path: string) => ({ path, name: path })

async function opened(fixture: Fixture) {
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const { model: _, ...producing } = fixture.producing(queue, [])
  const outcomes: string[] = []
  const options = { ...producing, sink, table: { table: 'numbers' }, onDecided: () => {} }
  const handlers = {
    concluded: (files: readonly unknown[]) => void outcomes.push(`${files.length} loaded`),
    refused: ({ name }: { readonly name: string }, { code }: LadingError) =>
      void outcomes.push(`${name.slice(fixture.folder.length + 1)}: ${code}`),
  }
  return { options, handlers, outcomes }
}

it('without a model, one that is gone and one of other columns are refused, and the others are loaded', async () => {
  await using fixture = await Fixture.open()
  const { options, handlers, outcomes } = await opened(fixture)
  const good = [await fixture.file(3), await fixture.file(4)]
  const other = join(fixture.folder, 'other.csv')
  await writeFile(other, 'id,remark\n1,a\n')
  const [first = '', second = ''] = good
  const files = [first, second, join(fixture.folder, 'gone.csv'), other].map(fileAt)
  await loadApart(files, options, handlers)
  expect(outcomes).toEqual(['2 loaded', 'gone.csv: SOURCE_MISSING', 'other.csv: HEADER_MISMATCH'])
  await fixture.expectAllOnce()
})

it('what the database refuses is no fault of a file', async () => {
  await using fixture = await Fixture.open()
  const { options, handlers, outcomes } = await opened(fixture)
  const files = [await fixture.file(3), await fixture.file(4)].map(fileAt)
  const sink = wrapSink(options.sink, untouched, {
    write: () => Promise.reject(new LadingError('SINK_REFUSED', 'no rights')),
  })
  await expect(loadApart(files, { ...options, sink }, handlers)).rejects.toMatchObject({
    code: 'SINK_REFUSED',
  })
  expect(outcomes).toEqual([])
})
