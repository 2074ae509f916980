/** What a person decides on the page, entry by entry, and what the page remembers meanwhile. */
import { describe, expect, it, vi } from 'vitest'
import { defineModel, integer, LadingError, records, text } from 'lading'
import { Guard } from '../../src/web/guard.ts'
import { WebLedger } from '../../src/web/ledger.ts'
import { search } from '../../src/web/search.ts'
import { items, Page } from './loaded.ts'

const two = 'id,note,n\nx,a,1\ny,b,2\n'

describe('each entry has an outcome of its own', () => {
  it('where the model fails on one of several records', async () => {
    const model = defineModel({
      table: 'items',
      columns: { id: integer(), note: text(), n: integer() },
      validate: ({ id }) => {
        if (id === 2) throw new Error('no')
      },
    })
    await using page = await Page.of(two, model)
    for (const [id, record] of [
      [1, '1,a,1'],
      [2, '2,b,2'],
    ] as const)
      await page.ledger.rejects.edit(id, (await page.editing(id)).version, { text: record })
    expect(await page.ledger.rejects.replay([1, 2])).toEqual([
      { id: 1, outcome: 'replayed', detail: 'loaded 1, rejected 0, skipped 0' },
      { id: 2, outcome: 'refused', detail: expect.stringMatching(/^HOOK_FAILED: reject 2: the validate/) },
    ])
  })

  it('where the database refuses one, or has it no more', async () => {
    await using page = await Page.of(two)
    page.rows(
      "CREATE TRIGGER refuses BEFORE UPDATE ON lading_reject WHEN OLD.id = 1 BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    expect(await page.ledger.rejects.discard([1, 2, 9])).toMatchObject([
      { id: 1, outcome: 'refused', detail: expect.stringMatching(/lading\.db: no$/) },
      { id: 2, outcome: 'discarded' },
      { id: 9, outcome: 'gone' },
    ])
  })

  it('where its load had a model that the page was not given', async () => {
    await using page = await Page.of(two, items, 'items.csv', {
      message: '{',
      known: { usual: new Map([['records', records]]) },
    })
    const refused = [
      { id: 1, outcome: 'refused', detail: expect.stringMatching(/^WRONG_PIPELINE: its load/) },
    ]
    expect(await page.ledger.rejects.replay([1])).toEqual(refused)
    expect(await page.ledger.letters.replay([1])).toEqual(refused)
    const edited = page.ledger.rejects.edit(1, (await page.editing(1)).version, { text: '1,a,1' })
    await expect(edited).rejects.toMatchObject({ code: 'WRONG_PIPELINE' })
  })
})

it('a dead letter is read, replayed and discarded like a reject', async () => {
  await using page = await Page.of(two, items, 'items.csv', { message: '{' })
  const { letters } = page.ledger
  const body = { name: 'dead-letter-1.bin', bytes: new Uint8Array(Buffer.from('{')) }
  expect(await letters.file(1)).toEqual(body)
  // So far apart that one question does not find both.
  expect(await letters.replay([1, 500])).toMatchObject([
    { id: 1, outcome: 'refused' },
    { id: 500, outcome: 'gone' },
  ])
  expect(await letters.discard([1])).toMatchObject([{ id: 1, outcome: 'discarded' }])
  const listed = async (state: 'open' | 'replayed' | 'discarded') =>
    (await letters.list({ state, after: 0 })).items.map(({ id }) => id)
  expect([await listed('open'), await listed('replayed'), await listed('discarded')]).toEqual([[], [], [1]])
})

it('reasons of a load are counted again once those of many others were asked for', async () => {
  await using page = await Page.of(two)
  const { ledger } = page
  const loadId = String(page.rows('SELECT id FROM lading_load')[0]?.['id'])
  const counts = async (id: string) => (await ledger.reasons(id)).map(({ rejects }) => rejects)
  expect(await counts(loadId)).toEqual([2])
  await ledger.rejects.discard([1])
  for (let n = 0; n < 9; n++) expect(await counts(`00000000-0000-4000-8000-00000000000${n}`)).toEqual([])
  expect(await counts(loadId)).toEqual([1])
})

it('a search that takes long returns what it has, and where to go on', async () => {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 150))
  const read = async (after: number) => [{ id: after + 1 }]
  const page = await search(read, ({ id }) => id === 2, { after: 0, step: 1 })
  vi.restoreAllMocks()
  expect(page).toEqual({ items: [{ id: 2 }], next: 3 })
})

it('a page that is left while its database cannot be reached ends all the same', async () => {
  const failed = Promise.withResolvers<never>()
  const ledger = new WebLedger({
    openSink: () => failed.promise,
    loadModels: async () => ({ usual: new Map([['records', records]]) }),
    replay: {},
  })
  const asked = ledger.reasons()
  const left = ledger[Symbol.asyncDispose]()
  failed.reject(new LadingError('SINK_UNAVAILABLE', 'it is down'))
  await expect(asked).rejects.toThrow('it is down')
  await left
})

it('wrong tokens are remembered of the last thousand addresses', () => {
  const guard = new Guard('a-token-of-some-length', [])
  const from = (remoteAddress: string) =>
    guard.hasToken({ headers: { authorization: 'Bearer wrong' }, socket: { remoteAddress } } as never)
  for (let n = 0; n < 20; n++) expect(from('first')).toBe(false)
  for (let n = 0; n < 999; n++) from(String(n))
  expect(from('first')).toBeUndefined()
  for (let n = 0; n < 1_000; n++) from(String(n))
  expect(from('first')).toBe(false)
})
