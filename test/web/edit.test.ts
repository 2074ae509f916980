/** A person corrects records on the page: what is stored, and what is not touched. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { defineModel, integer, load, type Model, openQueue, openSink, sha256, text } from 'lading'
import { envelopeHeaders } from '../../src/queue/envelope.ts'
import { bodyAnswer } from '../../src/web/body.ts'
import { WebLedger } from '../../src/web/ledger.ts'
import { Folder } from '../cli/run.ts'

const items = defineModel({ table: 'items', columns: { id: integer(), note: text(), n: integer() } })

/** The page's access to the rejects of one loaded file. */
class Page implements AsyncDisposable {
  readonly ledger: WebLedger
  readonly #folder: Folder

  private constructor(folder: Folder, model: Model) {
    this.#folder = folder
    this.ledger = new WebLedger({
      openSink: () => openSink(`sqlite:${folder.at('lading.db')}`),
      loadModels: async () => ({ model, usual: model }),
      replay: {},
    })
  }

  static async of(file: string | Uint8Array, model: Model = items, name = 'items.csv'): Promise<Page> {
    const folder = await Folder.make({ [name]: file })
    await using sink = await openSink(`sqlite:${folder.at('lading.db')}`)
    await using queue = await openQueue(`embedded:${folder.at('queue.db')}`)
    await load({ paths: [folder.at(name)], model, sink, queue, statePath: folder.at('state.db') })
    return new Page(folder, model)
  }

  async editing(id: number) {
    const kept = await this.ledger.rejects.show(id)
    const editing = kept?.record?.editing
    if (editing === undefined) throw new Error(`reject ${id} cannot be edited`)
    return editing
  }

  rows(statement: string) {
    using database = new DatabaseSync(this.#folder.at('lading.db'))
    return database.prepare(statement).all() as Record<string, unknown>[]
  }

  edited(id: number): Buffer {
    return Buffer.from(
      this.rows(`SELECT edited FROM lading_reject WHERE id = ${id}`)[0]?.['edited'] as Uint8Array,
    )
  }

  async [Symbol.asyncDispose]() {
    await this.ledger[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }
}

describe('a correction', () => {
  it('of a cell leaves every other byte as it was, also bytes that are no text', async () => {
    const record = Buffer.concat([Buffer.from('1,"say ""caf'), Buffer.from([0xe9]), Buffer.from('"" ",much')])
    await using page = await Page.of(
      Buffer.concat([Buffer.from('id,note,n\r\n'), record, Buffer.from('\r\n')]),
    )
    const editing = await page.editing(1)
    expect(editing).toMatchObject({
      fields: [{ name: 'id', text: '1' }, { name: 'note', text: undefined, isBad: true }, { text: 'much' }],
      text: undefined,
      note: expect.stringContaining('not valid UTF-8'),
    })
    expect((await page.ledger.rejects.file(1))?.bytes).toEqual(new Uint8Array(record))
    const after = await page.ledger.rejects.edit(1, editing.version, { fields: [[2, '7']] })
    const corrected = Buffer.concat([record.subarray(0, -4), Buffer.from('7')])
    expect(page.edited(1)).toEqual(corrected)
    expect(after?.record?.original).toContain('much')
    await page.ledger.rejects.edit(1, after?.record?.editing?.version ?? '', { fields: [[1, 'a "b", c']] })
    expect(page.edited(1).toString()).toBe('1,"a ""b"", c",7')
    expect(await page.ledger.rejects.replay([1])).toMatchObject([{ outcome: 'replayed' }])
    expect(page.rows('SELECT * FROM items')).toMatchObject([{ id: 1, note: 'a "b", c', n: 7 }])
  })

  it('is refused again with its new place, is undone to the last byte, and is made of what was seen', async () => {
    await using page = await Page.of('id,note,n\nx,,1\n')
    const { version, canUndo } = await page.editing(1)
    expect(canUndo).toBe(false)
    await page.ledger.rejects.edit(1, version, { text: '1,now right,many\n' })
    await expect(page.ledger.rejects.edit(1, version, { text: 'late' })).rejects.toThrow('changed meanwhile')
    expect(page.edited(1).toString()).toBe('1,now right,many')
    expect(await page.ledger.rejects.replay([1])).toMatchObject([{ outcome: 'refused' }])
    const again = await page.ledger.rejects.show(1)
    expect(again).toMatchObject({ column: 'n', record: { text: { fault: 'many' }, original: 'x,,1' } })
    const editing = again?.record?.editing
    expect(editing).toMatchObject({ canUndo: true, fields: [{}, {}, { isBad: true }] })
    await page.ledger.rejects.edit(1, editing?.version ?? '', { original: true })
    expect(page.edited(1).toString()).toBe('x,,1')
    await page.ledger.rejects.discard([1])
    await expect(page.ledger.rejects.edit(1, version, { text: '1,,1' })).rejects.toThrow('no longer open')
  })

  it('of a masked field is masked before it is stored, and a mask that stays is not masked again', async () => {
    const model = defineModel({
      table: 'people',
      columns: { id: integer(), ip: text().mask(sha256()) },
    })
    await using page = await Page.of('id,ip\nx,10.0.0.1\ny,10.0.0.2\n', model)
    const editing = await page.editing(1)
    expect(JSON.stringify(await page.ledger.rejects.show(1))).not.toContain('10.0.0.1')
    const mask = editing.fields?.[1]?.text ?? ''
    const after = await page.ledger.rejects.edit(1, editing.version, { fields: [[0, '1']] })
    expect(page.edited(1).toString()).toBe(`1,${mask}`)
    expect(after?.record?.editing?.canUndo).toBe(false)
    await page.ledger.rejects.edit(2, (await page.editing(2)).version, { text: '2,10.9.9.9' })
    expect(page.edited(2).toString()).toMatch(/^2,[0-9a-f]{64}$/)
    await page.ledger.rejects.replay([1, 2])
    expect(page.rows('SELECT ip FROM people ORDER BY id')[0]).toEqual({ ip: mask })
  })

  it('of JSON is made of its text', async () => {
    await using page = await Page.of('{"id":"x", "note":"\\u00e9"}\n', items, 'items.ndjson')
    const editing = await page.editing(1)
    expect(editing).toMatchObject({ text: '{"id":"x", "note":"\\u00e9"}', fields: undefined })
    await page.ledger.rejects.edit(1, editing.version, { text: '{"id":1, "note":"\\u00e9"}' })
    expect(await page.ledger.rejects.replay([1])).toMatchObject([{ outcome: 'replayed' }])
    const list = await page.ledger.rejects.list({ state: 'replayed', after: 0 })
    expect(list.items).toMatchObject([{ id: 1, state: 'replayed' }])
    expect((await page.ledger.rejects.list({ after: 0 })).items).toEqual([])
  })
})

describe('a body', () => {
  it('is shown by its form, and no more of it than a person reads', () => {
    expect(bodyAnswer({ headers: {}, body: Buffer.from(' [1]') })).toMatchObject({ form: 'json', bytes: 4 })
    expect(bodyAnswer({ headers: {}, body: Buffer.from('') })).toMatchObject({ form: 'text', text: '' })
    const long = bodyAnswer({ headers: {}, body: Buffer.from('xx' + '\u20ac'.repeat(50_000)) })
    expect(long).toMatchObject({ form: 'text', bytes: 150_002, shown: 65_534 })
    expect(long.text).not.toContain('\ufffd')
    const binary = bodyAnswer({ headers: {}, body: Buffer.from([0, 0x41, 0xff, ...Array(5_000)]) })
    expect(binary).toMatchObject({ form: 'binary', shown: 4_096 })
    expect(binary.text.split('\n')[0]).toBe(`00000000  00 41 ff${' 00'.repeat(13)}  .A..............`)
  })

  it('of a chunk is its records', () => {
    const hash = '0'.repeat(64)
    const id = '00000000-0000-4000-8000-000000000000'
    const chunk = envelopeHeaders({
      pipeline: 'p',
      load: { id, source: 'a.csv', sha256: hash, plan: hash, bytes: 9, chunks: 1, records: 2 },
      chunk: 0,
      records: 2,
      sha256: hash,
      byteStart: 0,
      firstRecord: 1,
      firstLine: 2,
      layout: { fields: ['a', 'b'], delimiter: ',', quote: '"' },
    })
    const body = Buffer.from('1,"x ""y"""\n2\n')
    expect(bodyAnswer({ headers: chunk, body }).records).toEqual({
      fields: ['a', 'b'],
      rows: [['1', 'x "y"'], ['2']],
    })
  })
})
