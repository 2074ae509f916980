import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { dryRun, type DryRunOptions } from '../../src/load/dry-run.ts'
import { load } from '../../src/load/load.ts'
import type { Model } from '../../src/model/model.ts'
import { modelOfTable } from '../../src/model/of-table.ts'
import type { TableFacts } from '../../src/model/table.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { openSink } from '../../src/sink/registry.ts'
import { Folder } from '../cli/run.ts'

it('a dry run says what the load would do: what the ledger has, what is left out, and no ledger is made', async () => {
  await using folder = await Folder.make({
    'a.csv': 'n,state\n1,new\n2,deleted\nx,deleted\n',
    'b.csv': 'n,state\n3,new\n',
  })
  const url = `sqlite:${folder.at('lading.db')}`
  using database = new DatabaseSync(folder.at('lading.db'))
  database.exec('CREATE TABLE t (n INTEGER, state TEXT)')
  await using sink = await openSink(url)
  const options = {
    paths: [folder.at('a.csv')],
    sink,
    table: { table: 't' },
    skipWhen: { state: 'deleted' },
  }
  const model = modelOfTable((await sink.table?.({ table: 't' })) as TableFacts, ['n', 'state'])
    .model as Model
  const rehearse = async (more: Partial<DryRunOptions> = {}) => {
    const [found] = await dryRun({ ...options, model, ...more })
    return [found?.wouldLoad, found?.rejected, found?.filtered, found?.known?.replace(/ \(.*/, '')]
  }
  const tables = () => database.prepare('SELECT name FROM sqlite_schema').all().length
  expect(await rehearse()).toEqual([1, 0, 2, undefined])
  expect(await rehearse({ skipWhen: {} })).toEqual([2, 1, 0, undefined])
  expect(tables()).toBe(1)
  await using queue = await openQueue(`embedded:${folder.at('queue.db')}`)
  const settings = { ...options, model, queue, statePath: folder.at('state.db') }
  await load(settings)
  expect(await rehearse()).toEqual([0, 0, 2, 'loaded before'])
  expect(await rehearse({ again: true })).toEqual([1, 0, 2, undefined])
  await folder.write('a.csv', 'n,state\n1,new\n2,deleted\nx,deleted\n4,new\n')
  await expect(rehearse()).rejects.toMatchObject({ code: 'SOURCE_GROWN' })
  await folder.write('a.csv', 'n,state\n1,new\n2,deleted\nx,deleted\n')
  await expect(rehearse({ fresh: true })).rejects.toMatchObject({ code: 'TABLE_NOT_EMPTY' })
  database.exec('DELETE FROM t')
  expect(await rehearse({ fresh: true })).toEqual([1, 0, 2, undefined])
  expect(await rehearse({ paths: [folder.at('b.csv')] }), 'another file').toEqual([1, 0, 0, undefined])
  const rehearsed = await folder.run(['load', '-', '--table', 't', '--dry-run'], {
    stdin: 'n,state\n5,new\n',
  })
  expect(rehearsed).toMatchObject({ code: 0, out: expect.stringContaining('1 record would go to table t') })
  const run = await folder.lading(
    'load',
    'a.csv',
    '--table',
    't',
    '--dry-run',
    '--skip-when',
    'state=deleted',
  )
  expect(run.out).toMatch(/^a\.csv +3 +0 +0 +2 +loaded before \(load /m)
})
