/** Records inside of other objects, on the command line: of files, of messages, and of dead letters. */
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'
import { Folder, library } from './run.ts'

const model = `import { defineModel } from '${library}'
import { bigint, integer, text } from '${library}'
export default defineModel({
  table: 'things',
  columns: { id: integer().notNull(), name: text().from('n.name'), size: bigint() },
  primaryKey: ['id'],
  onConflict: 'merge',
})`

const notification = (message: string) => JSON.stringify({ Type: 'Notification', Message: message })

it('load takes --records and --unwrap, in consumer processes too, and consume, peek and dead replay take them of messages', async () => {
  const data = '{"page":1,"data":[{"id":1,"n":{"name":"a"}},{"id":2,"size":9007199254740993}]}'
  const changes = [
    { op: 'c', before: null, after: { id: 3 } },
    { op: 'd', before: { id: 2 }, after: null },
  ]
  await using folder = await Folder.make({
    'model.ts': model,
    'data.json': data,
    'changes.ndjson': changes.map((change) => `${JSON.stringify(change)}\n`).join(''),
  })
  const at = ['--model', './model.ts']
  expect(await folder.lading('load', 'data.json', ...at, '--records', 'data[]')).toMatchObject({ code: 0 })
  expect(folder.sql('SELECT id, name, CAST(size AS text) AS size FROM things ORDER BY id')).toEqual([
    { id: 1, name: 'a', size: null },
    { id: 2, name: null, size: '9007199254740993' },
  ])
  const changed = await folder.lading(
    'load',
    'changes.ndjson',
    ...at,
    '--unwrap',
    'debezium',
    '--consumers',
    '2',
  )
  expect(changed).toMatchObject({ code: 0 })
  expect(folder.sql('SELECT id FROM things ORDER BY id')).toEqual([{ id: 1 }, { id: 3 }])
  {
    await using queue = await openQueue(`embedded:${folder.at('external.db')}`)
    const body = gzipSync(notification('{"data":[{"id":4,"n":{"name":"d"}},{"id":1,"size":5}]}'))
    await queue.publish([
      { key: 'm', body, headers: { 'content-encoding': 'gzip' } },
      { key: 'w', body: Buffer.from('{"data":{"id":5}}'), headers: {} },
    ])
  }
  const external = ['--queue', `embedded:${folder.at('external.db')}`]
  const inside = ['--unwrap', 'sns', '--records', 'data']
  const seen = await folder.lading('peek', '1', ...at, ...external, ...inside)
  expect(seen.out).toContain('message (gzip)')
  expect(seen.out).toContain('2 records for things')
  expect(await folder.lading('consume', '--until-empty', ...at, ...external, ...inside)).toMatchObject({
    code: 3,
  })
  const dead = await folder.lading('dead', 'replay', ...at, '--records', 'data')
  expect(dead.out).toContain('loaded 1')
  expect(folder.sql('SELECT id, name, CAST(size AS text) AS size FROM things ORDER BY id')).toEqual([
    { id: 1, name: 'a', size: '5' },
    { id: 3, name: null, size: null },
    { id: 4, name: 'd', size: null },
    { id: 5, name: null, size: null },
  ])
})

it('a path or an envelope that there is not is refused before anything is read', async () => {
  await using folder = await Folder.make({ 'model.ts': model, 'x.json': '{}' })
  const load = async (...more: string[]) =>
    (await folder.lading('load', 'x.json', '--model', './model.ts', ...more)).err
  expect(await load('--records', 'data[0]')).toContain('USAGE: records (--records) is a path such as data[]')
  expect(await load('--unwrap', 'kafka')).toContain('USAGE: unwrap (--unwrap) is sns, eventbridge')
  expect(await load('--records', 'data', '--format', 'csv')).toContain('(--records) is for JSON and NDJSON')
  expect(await load('--records', 'data')).toContain(
    'SOURCE_MALFORMED: x.json:1: no "data" stands in the object',
  )
})

it('a new table is made for the records inside of a file, and not for the object around them', async () => {
  await using folder = await Folder.make({
    'data.json': '{"page":1,"data":[{"id":1},{"id":9007199254740993}]}',
  })
  expect(await folder.lading('load', 'data.json', '--records', 'data[]')).toMatchObject({ code: 0 })
  expect(folder.sql('SELECT CAST(id AS text) AS id FROM data ORDER BY id')).toEqual([
    { id: '1' },
    { id: '9007199254740993' },
  ])
})
