import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { preview } from '../../src/review/preview.ts'
import { type Flaw, type LoginOptions, logins, writeLogins } from '../../src/generate/logins.ts'
import { text, varchar } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'

const make = (more: Partial<LoginOptions> = {}) => [...logins({ count: 1000, seed: 42, ...more })]

/** As strict about an event as a consumer is. */
const model = defineModel({
  table: 'logins',
  columns: {
    user_id: varchar(128).notNull(),
    app_version: text()
      .notNull()
      .transform((version) => {
        if (!/^\d+(\.\d+){0,2}$/.test(version)) throw new Error('no version')
        return version
      }),
    device_type: varchar(32).notNull(),
    ip: text().notNull(),
    locale: varchar(32),
    device_id: text().notNull(),
  },
})

describe('login events', () => {
  it('of one seed are the same, those of another are not, and fewer are the first of more', () => {
    const shares = { broken: 0.2, duplicates: 0.1 }
    expect(make(shares)).toEqual(make(shares))
    expect(make({ ...shares, count: 300 })).toEqual(make(shares).slice(0, 300))
    const other = new Set(make({ ...shares, seed: 43 }).flatMap(({ key, body }) => [key, body]))
    expect(
      make(shares).filter(({ key, body, flaw }) => other.has(key) || (flaw === undefined && other.has(body))),
    ).toEqual([])
  })

  it('are plausible, and of every kind', () => {
    const events = make().map(({ body }) => JSON.parse(body) as Record<string, string | null>)
    const values = (name: string) => new Set(events.map((event) => event[name]))
    for (const event of events)
      expect(Object.keys(event)).toEqual([
        'user_id',
        'app_version',
        'device_type',
        'ip',
        'locale',
        'device_id',
      ])
    for (const id of values('device_id')) expect(id).toMatch(/^\d{3}-\d\d-\d{4}$/)
    for (const ip of values('ip')) expect(ip).toMatch(/^(\d{1,3}(\.\d{1,3}){3}|2001:db8::[\da-f]+:[\da-f]+)$/)
    expect(values('locale')).toContain(null)
    expect(values('locale').size).toBeGreaterThan(5)
    expect(values('device_type')).toContain('iOS')
    expect(values('app_version')).toContain('2.3.0')
    // People come back.
    expect(values('user_id').size).toBeGreaterThan(400)
    expect(values('user_id').size).toBeLessThan(800)
  })

  it('fit a consumer, but for the broken ones, each kind of which no consumer loads', async () => {
    const messages = make({ broken: 0.3 })
    const outlooks = await preview(
      messages.map(({ key, body }) => ({ key, body: Buffer.from(body), headers: {}, attempt: 0 })),
      { model },
    )
    const fates = new Map<Flaw | 'sound', Set<string>>()
    for (const [index, { outlook }] of outlooks.entries()) {
      const fate = outlook.kind === 'dead' ? outlook.code : outlook.kind
      const flaw = messages[index]?.flaw ?? 'sound'
      fates.set(flaw, (fates.get(flaw) ?? new Set()).add(fate))
    }
    expect(Object.fromEntries([...fates].map(([flaw, codes]) => [flaw, [...codes]]))).toEqual({
      sound: ['rows'],
      shape: ['EXTRA_FIELD'],
      cut: ['NOT_OURS'],
      locale: ['TOO_LONG'],
      version: ['TRANSFORM_FAILED'],
      nested: ['NESTED_VALUE'],
    })
  })

  it.each([0, 0.25, 1])('are broken with a share of %s, and repeated with it, keys and all', (share) => {
    const broken = make({ broken: share }).filter(({ flaw }) => flaw !== undefined).length
    expect(Math.abs(broken / 1000 - share)).toBeLessThan(0.05)
    const messages = make({ duplicates: share })
    const bodies = new Map(
      messages.filter(({ isRepeated }) => !isRepeated).map(({ key, body }) => [key, body]),
    )
    const repeated = messages.filter(({ isRepeated }) => isRepeated)
    expect(Math.abs(repeated.length / 1000 - share)).toBeLessThan(0.05)
    expect(repeated.filter(({ key, body }) => bodies.get(key) !== body)).toEqual([])
    expect(bodies.size + repeated.length).toBe(1000)
  })

  it('have keys of their own, which are UUIDs', () => {
    const keys = make({ count: 5000 }).map(({ key }) => key)
    expect(new Set(keys).size).toBe(5000)
    for (const key of keys)
      expect(key).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  })

  it.each<Partial<LoginOptions>>([
    { count: -1 },
    { count: 1.5 },
    { seed: -1 },
    { broken: 1.1 },
    { broken: Number.NaN },
    { duplicates: -0.1 },
  ])('with %j are refused', (more) =>
    expect(() => make(more)).toThrow(expect.objectContaining({ code: 'USAGE' })),
  )
})

describe('a file of them', () => {
  it('holds one a line, and is there as a whole or not at all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lading-logins-'))
    try {
      const path = join(folder, 'logins.ndjson')
      const messages = make({ broken: 0.5 })
      const bytes = await writeLogins(path, messages)
      const written = await readFile(path)
      expect(written.length).toBe(bytes)
      expect(written.toString().split('\n')).toEqual([...messages.map(({ body }) => body), ''])
      const aborted = writeLogins(join(folder, 'b'), messages, { signal: AbortSignal.abort() })
      await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
      await expect(writeLogins(join(folder, 'none/c'), messages)).rejects.toMatchObject({
        code: 'OUTPUT_UNWRITABLE',
      })
      expect(await readdir(folder)).toEqual(['logins.ndjson'])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
