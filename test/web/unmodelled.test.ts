import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { load, openQueue, openSink, records } from 'lading'
import { WebLedger } from '../../src/web/ledger.ts'
import { Folder } from '../cli/run.ts'

it('the page replays a reject of a load without a model, by the policy that the load was stated with', async () => {
  await using folder = await Folder.make({ 'items.csv': 'id,note\n1,new\nx,bad\n' })
  using database = new DatabaseSync(folder.at('lading.db'))
  database.exec(
    "CREATE TABLE items (id INTEGER PRIMARY KEY, note TEXT, kept TEXT) STRICT; INSERT INTO items VALUES (2, 'old', 'k')",
  )
  await using sink = await openSink(`sqlite:${folder.at('lading.db')}`)
  await using queue = await openQueue(`embedded:${folder.at('queue.db')}`)
  await load({
    paths: [folder.at('items.csv')],
    sink,
    queue,
    choices: { onConflict: 'merge' },
    statePath: folder.at('state.db'),
  })
  await sink.ledger.editReject(1, Buffer.from('2,corrected'), [])
  await using page = new WebLedger({
    openSink: () => openSink(`sqlite:${folder.at('lading.db')}`),
    // The model of another pipeline decodes none of it.
    loadModels: async () => ({ model: records, usual: new Map() }),
    ofAll: true,
    replay: {},
  })
  expect(await page.rejects.replay([1])).toMatchObject([{ id: 1, outcome: 'replayed' }])
  expect(database.prepare('SELECT * FROM items ORDER BY id').all()).toMatchObject([
    { id: 1, note: 'new', kept: null },
    { id: 2, note: 'corrected', kept: 'k' },
  ])
})
