import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { load } from '../../src/load/load.ts'
import type { Carry } from '../../src/source/carry.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { openSink } from '../../src/sink/registry.ts'
import { numbers, Fixture } from '../support/fixture.ts'

it('what travels as references becomes the same rows, rejects and receipts as what travels as bytes', async () => {
  await using fixture = await Fixture.open()
  const root = join(fixture.folder, 'in')
  await mkdir(root)
  const lines = (n: number) =>
    Array.from({ length: n }, (_, id) =>
      id % 97 === 0 ? `x${id},bad ☃ ${id}\r\n` : `${id},"good, ☃ ${id}\nline"\r\n`,
    )
  await writeFile(join(root, 'a.csv'), `\ufeffid,note\n${lines(5_000).join('')}`)
  await writeFile(join(root, 'b.csv'), `note,id\nturned,7\n`)
  await writeFile(join(root, 'empty.csv'), 'id,note\n')

  async function loaded(carry: Carry) {
    const path = join(fixture.folder, `${carry}.db`)
    await using queue = await openQueue(`embedded:${join(fixture.folder, `${carry}-queue.db`)}`)
    await using sink = await openSink(`sqlite:${path}`)
    const { receipts } = await load({
      ...fixture.producing(queue, [root]),
      chunkBytes: 5_000,
      carry,
      root,
      sink,
    })
    using file = new SqliteFile(path)
    return {
      receipts: receipts.map(({ startedAt: _startedAt, lastAt: _lastAt, ...receipt }) => receipt),
      rows: file.all(`SELECT id, note FROM ${numbers.table} ORDER BY id, note`),
      rejects: file.all(
        'SELECT key, load_id, record, line, byte, source, column_name, code, detail, raw FROM lading_reject ORDER BY source, record',
      ),
      dead: await sink.ledger.deadLetters({ limit: 10 }),
    }
  }

  const bytes = await loaded('bytes')
  expect(bytes.rows.length).toBe(4_949)
  expect(bytes.rejects.length).toBe(52)
  expect(await loaded('reference')).toEqual(bytes)
})
