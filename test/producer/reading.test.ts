/** How a source is written is stated for all of them, or found for each. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Layout } from '../../src/core/load.ts'
import { bigint, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { planSource } from '../../src/producer/plan.ts'
import { openSources } from '../../src/producer/sources.ts'
import { envelopeHeaders, readEnvelope } from '../../src/queue/envelope.ts'

const model = defineModel({ table: 't', columns: { id: bigint(), note: text() } })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-reading-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

const plan = async (options: Parameters<typeof openSources>[0]) => {
  const plans = []
  for await (const source of await openSources(options))
    plans.push(await planSource(source, { model, chunkBytes: 1 << 20 }, () => undefined))
  return plans
}

it('each source is planned by its own reading, and notations travel in its layout', async () => {
  const paths = [await file('a.csv', 'id;note\n1;x\n'), await file('b.csv', 'id|note\n1|x\n2|y\n')]
  const notations = { note: { nulls: ['-'] } }
  const plans = await plan({
    paths,
    readingOf: async ({ name }) => ({
      dialect: { delimiter: name === 'a.csv' ? ';' : '|' },
      ...(name === 'b.csv' && { notations }),
    }),
  })
  expect(plans.map(({ layout, records }) => [layout, records])).toEqual([
    [{ fields: ['id', 'note'], delimiter: ';', quote: '"' }, 1],
    [{ fields: ['id', 'note'], delimiter: '|', quote: '"', notations }, 2],
  ])
})

it('a notation of every field travels too, and one that cannot be read is refused', async () => {
  const paths = [await file('d.csv', 'id,note\n1,x\n')]
  const notation = { nulls: ['NA'] }
  const [one] = await plan({ paths, notation })
  expect(one?.layout).toEqual({ fields: ['id', 'note'], delimiter: ',', quote: '"', notation })
  for (const reading of [
    { notations: { id: { thousands: '_' } } },
    { footerLines: -1 },
    { footerLines: 0.5 },
  ])
    await expect(plan({ paths, ...reading })).rejects.toMatchObject({ code: 'USAGE' })
})

it('without one, the options are the reading of every source', async () => {
  const [one] = await plan({ paths: [await file('c.csv', 'id;note\n1;x\n')], dialect: { delimiter: ';' } })
  expect(one?.layout).toEqual({ fields: ['id', 'note'], delimiter: ';', quote: '"' })
})

const hash = 'a'.repeat(64)
const envelope = (layout: Layout) => ({
  pipeline: 'p',
  load: {
    id: '00000000-0000-8000-8000-000000000000',
    source: 's',
    sha256: hash,
    bytes: 1,
    plan: hash,
    chunks: 1,
    records: 1,
  },
  chunk: 0,
  records: 1,
  sha256: hash,
  byteStart: 0,
  firstRecord: 1,
  firstLine: 1,
  layout,
})

it('plain CSV travels in version 1, which 0.1.0 reads, and CSV written in another way in version 3', () => {
  const plain = { fields: ['a'], delimiter: ',', quote: '"' }
  const others: readonly Partial<Layout>[] = [
    {},
    { escape: '\\' },
    { comment: '#' },
    { ragged: 'pad' },
    { trim: true },
    { notation: { nulls: ['NA'] } },
    { notations: { a: { decimal: ',' } } },
  ]
  for (const more of others) {
    const headers = envelopeHeaders(envelope({ ...plain, ...more }))
    expect(JSON.parse(headers['lading'] as string).v).toBe(Object.keys(more).length === 0 ? 1 : 3)
    expect(readEnvelope(headers)).toEqual(envelope({ ...plain, ...more }))
  }
})
