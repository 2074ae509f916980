/** A person corrects records on the page: what is stored, and what is not touched. */
import { describe, expect, it } from 'vitest'
import { defineModel, integer, sha256, text } from 'lading'
import { envelopeHeaders } from '../../src/queue/envelope.ts'
import { bodyAnswer } from '../../src/web/body.ts'
import { mostEditBytes } from '../../src/web/edit.ts'
import { items, Page } from './loaded.ts'

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
    const undone = page.ledger.rejects.edit(1, after?.record?.editing?.version ?? '', { original: true })
    await expect(undone).rejects.toThrow('the original holds masks')
    await page.ledger.rejects.edit(2, (await page.editing(2)).version, { text: '2,10.9.9.9' })
    expect(page.edited(2).toString()).toMatch(/^2,[0-9a-f]{64}$/)
    await page.ledger.rejects.replay([1, 2])
    expect(page.rows('SELECT ip FROM people ORDER BY id')[0]).toEqual({ ip: mask })
  })

  it('is made of the whole record where none of it was kept, and elsewhere where it is too large for a page', async () => {
    const model = defineModel({ table: 'people', columns: { id: integer(), ip: text().mask(sha256()) } })
    await using page = await Page.of('id,ip\nx,"10.0.0.1"x\n', model)
    expect(await page.editing(1)).toMatchObject({
      fields: undefined,
      note: 'The record was not kept: enter the whole record.',
    })
    page.rows(`UPDATE lading_reject SET edited = zeroblob(${mostEditBytes + 1})`)
    expect(await page.editing(1)).toEqual({
      version: expect.any(String),
      canUndo: false,
      note: 'The record is larger than 256 KiB: use lading rejects edit.',
    })
  })

  it('that the file has no way to write is refused, and changes nothing', async () => {
    await using page = await Page.of('id;note;n\nx;;1\n', items, 'items.csv', {
      dialect: { delimiter: ';', quote: '' },
    })
    const { version } = await page.editing(1)
    const edited = page.ledger.rejects.edit(1, version, { fields: [[1, 'a;b']] })
    await expect(edited).rejects.toMatchObject({ code: 'COLUMN_COUNT', message: /no way to write/ })
    expect((await page.editing(1)).version).toBe(version)
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
    const envelope = {
      pipeline: 'p',
      load: { id, source: 'a.csv', sha256: hash, plan: hash, bytes: 9, chunks: 1, records: 2 },
      chunk: 0,
      records: 2,
      sha256: hash,
      byteStart: 0,
      firstRecord: 1,
      firstLine: 2,
      layout: { fields: ['a', 'b'], delimiter: ',', quote: '"' },
    }
    const chunk = envelopeHeaders(envelope)
    const body = Buffer.from('1,"x ""y"""\n2\n')
    expect(bodyAnswer({ headers: chunk, body }).records).toEqual({
      fields: ['a', 'b'],
      rows: [['1', 'x "y"'], ['2']],
    })
    // One that is cut may look whole.
    const long = bodyAnswer({ headers: chunk, body: Buffer.from(`1,${'x'.repeat(1_997)}\n`.repeat(40)) })
    expect(long.records?.rows).toHaveLength(32)
    expect(
      bodyAnswer({ headers: chunk, body: Buffer.from('1,2\n'.repeat(20_000)) }).records?.rows,
    ).toHaveLength(100)
    const wrong = envelopeHeaders({ ...envelope, layout: { format: 'message', fields: ['a'] } })
    expect(bodyAnswer({ headers: wrong, body })).toEqual({
      form: 'text',
      bytes: 14,
      shown: 14,
      text: `${body}`,
    })
  })
})
