import { expect, it } from 'vitest'
import { load, openQueue, openSink } from 'lading'
import { Folder } from '../cli/run.ts'

const row = (columns: number, cell: (index: number) => string): string =>
  Array.from({ length: columns }, (_, index) => cell(index)).join(',')

const csv = (columns: number): string => `${row(columns, (index) => `c${index}`)}\n${row(columns, String)}\n`

it('a file of more columns than a table may have is refused before anything is made, one of as many is loaded', async () => {
  const most = 2000
  const wide = Object.fromEntries(Array.from({ length: most + 1 }, (_, index) => [`c${index}`, index]))
  await using folder = await Folder.make({
    'most.csv': csv(most),
    'many.csv': csv(100_000),
    'many.ndjson': `{"c0":1}\n${JSON.stringify(wide)}\n`,
  })
  await using sink = await openSink(`sqlite:${folder.at('wide.db')}`)
  await using queue = await openQueue(`embedded:${folder.at('queue.db')}`)
  const loading = (file: string) =>
    load({
      sink,
      queue,
      paths: [folder.at(file)],
      table: { table: 'wide' },
      statePath: folder.at('state.db'),
    })
  const refused = (columns: string) => ({
    code: 'HEADER_MISMATCH',
    message: expect.stringMatching(`has ${columns} columns, .* at most 2,000: .* --ignore-extra`),
  })
  await expect(loading('many.csv')).rejects.toMatchObject(refused('100,000'))
  await expect(loading('many.ndjson')).rejects.toMatchObject(refused('2,001'))
  expect(await sink.table?.({ table: 'wide' })).toBeUndefined()
  expect((await loading('most.csv')).receipts).toMatchObject([{ loaded: 1 }])
})
