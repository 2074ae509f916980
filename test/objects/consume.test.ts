/** Objects of S3 are loaded as notifications of them arrive. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it, vi } from 'vitest'
import { load, openQueue, replay } from '../../src/index.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { numbers, query } from '../support/fixture.ts'
import { failureOf, useArrivals } from './arrivals.ts'
import { eventBridge, fromS3, s3Record, throughSns } from './messages.ts'

const { s3, sqs, open } = useArrivals()

describePostgres('into PostgreSQL', () => {
  it('each object is loaded once, however often and in whatever order its events come', async () => {
    await using arrivals = await open('postgres', 3)
    const objects = []
    for (const count of [1, 2_000, 7, 300, 1, 64, 5_000, 30, 12, 3, 999, 40])
      objects.push(await arrivals.numbered(count))
    sqs().turn({ seed: 7, duplicates: 0.2, reorder: true })
    try {
      await arrivals.send(
        ...objects.map(fromS3),
        ...objects.toReversed().map((told) => throughSns(fromS3(told))),
      )
      await arrivals.send(...objects.map(eventBridge))
      const first = await arrivals.consume()
      expect(first.loaded).toBe(8_457)
      expect(first.messages).toBeGreaterThanOrEqual(36)
      // A later run remembers nothing: only the ledger knows.
      await arrivals.tell(...objects)
      const second = await arrivals.consume()
      expect(second).toMatchObject({ loaded: 0, retried: 0, deadMessages: 0 })
      expect(second.duplicates).toBe(second.messages)
    } finally {
      sqs().turn({})
    }
    expect(await arrivals.fixture.expectAllOnce()).toHaveLength(12)
    expect(await arrivals.letters()).toEqual([])
  })

  it('a table that is not there is made of the first objects, and one that does not fit is a dead letter', async () => {
    await using arrivals = await open('postgres', 3)
    const [first, second, third, other] = [
      await arrivals.put('in/1.csv', 'id,day\n1,2026-01-01\n2,2026-01-02\n'),
      await arrivals.put('in/2.ndjson', '{"id":3,"day":"2026-01-03"}\n'),
      await arrivals.put('in/3.csv', 'id,day\n4,soon\n'),
      await arrivals.put('in/4.csv', 'name,height\nx,1\n'),
    ]
    const sink = await arrivals.fixture.sink()
    await arrivals.tell(first)
    await arrivals.consume({ sink, table: { table: 'days' } })
    await arrivals.tell(second, third, other)
    // Without a model a header is tried again: another consumer may be making the table.
    const once = { messageRetry: { attempts: 1, firstMs: 1 } }
    const tally = await arrivals.consume({ sink, table: { table: 'days' }, ...once })
    expect(tally).toMatchObject({ messages: 3, loaded: 1, rejected: 1, deadMessages: 1 })
    const { url } = arrivals.fixture.target
    expect(await query(url, 'SELECT id::int, day::text FROM days ORDER BY id')).toEqual([
      { id: 1, day: '2026-01-01' },
      { id: 2, day: '2026-01-02' },
      { id: 3, day: '2026-01-03' },
    ])
    expect(await arrivals.letters()).toMatchObject([{ code: 'HEADER_MISMATCH', pipeline: 'days' }])
  })
})

describe('what an object is', () => {
  it('has any key that S3 takes', async () => {
    await using arrivals = await open()
    const names = [
      'a b.csv',
      'a+b.csv',
      'ü/€.csv',
      '100%.csv',
      'a?b=c.csv',
      'x%2Fy.csv',
      'sub/folder/a#1.csv',
    ]
    const objects = []
    for (const name of names) objects.push(await arrivals.numbered(3, `in/${name}`))
    await arrivals.tell(...objects)
    await arrivals.consume()
    const receipts = await arrivals.fixture.expectAllOnce()
    expect(receipts.map(({ source }) => source).toSorted()).toEqual(names.toSorted())
    expect(await arrivals.letters()).toEqual([])
  })

  it('is the same load as the object that load found in the folder', async () => {
    await using arrivals = await open()
    const objects = [await arrivals.numbered(5, 'in/a.csv'), await arrivals.numbered(6, 'in/sub/b.csv')]
    {
      await using queue = await openQueue('memory:')
      const sink = await arrivals.fixture.sink()
      const statePath = `${arrivals.fixture.folder}/state.db`
      await load({ paths: [arrivals.place], model: numbers, queue, sink, statePath })
    }
    await arrivals.tell(...objects, await arrivals.numbered(7, 'in/sub/c.csv'))
    expect(await arrivals.consume()).toMatchObject({ messages: 3, duplicates: 2, loaded: 7 })
    await arrivals.fixture.expectAllOnce()
  })

  it('under a key that is written anew is another one, and what is there now is loaded', async () => {
    await using arrivals = await open()
    const first = await arrivals.numbered(5, 'in/a.csv')
    await arrivals.tell(first)
    await arrivals.consume()
    const second = await arrivals.numbered(6, 'in/a.csv')
    // The event of the first comes late.
    await arrivals.tell(first, second, first)
    expect(await arrivals.consume()).toMatchObject({ loaded: 6, deadMessages: 0 })
    expect(await arrivals.fixture.expectAllOnce()).toHaveLength(2)
  })

  it('that is put back is loaded, although its event had come before when another one lay there', async () => {
    await using arrivals = await open()
    const body = await readFile(await arrivals.fixture.file(5))
    const told = await arrivals.put('in/a.csv', body)
    await arrivals.numbered(6, 'in/a.csv')
    await arrivals.tell(told, told)
    let putBack: Promise<unknown> | undefined
    const onEvent = ({ type }: { readonly type: string }) => {
      if (type === 'batch') putBack ??= arrivals.put('in/a.csv', body)
    }
    s3().trouble = async () => {
      await putBack
      return undefined
    }
    try {
      expect(await arrivals.consume({ onEvent, batch: { messages: 1 } })).toMatchObject({ loaded: 11 })
    } finally {
      s3().trouble = () => undefined
    }
    expect(await arrivals.fixture.expectAllOnce()).toHaveLength(2)
  })

  it.for([0, 1, 7, 1e9, -1])('is read whole, whatever size the event states: %j', async (size) => {
    await using arrivals = await open()
    await arrivals.tell({ ...(await arrivals.numbered(5)), size })
    expect(await arrivals.consume()).toMatchObject({ loaded: 5, deadMessages: 0 })
    await arrivals.fixture.expectAllOnce()
  })

  it('is read in the version that the event names', async () => {
    await using arrivals = await open()
    const told = await arrivals.numbered(5)
    await arrivals.tell({ ...told, version: 'v 7/+' })
    await arrivals.consume()
    const versions = arrivals.asked.map(({ query: asked }) => asked.get('versionId'))
    expect(new Set(versions)).toEqual(new Set(['v 7/+']))
  })

  it('is loaded with the good records of it, and its rejects are kept', async () => {
    await using arrivals = await open()
    await arrivals.tell(await arrivals.put('in/a.csv', 'id,note\n1,a\ntwo,b\n3,c\n'))
    expect(await arrivals.consume()).toMatchObject({ messages: 1, loaded: 2, rejected: 1, deadMessages: 0 })
    const sink = await arrivals.fixture.sink()
    expect(await sink.ledger.rejects({ limit: 10 })).toMatchObject([{ code: 'BAD_INTEGER', source: 'a.csv' }])
    expect(await arrivals.isEmpty()).toBe(true)
  })
})

describe('an object that cannot be loaded', () => {
  it('and is gone is tried again, and becomes a dead letter with its reason, once', async () => {
    await using arrivals = await open()
    const gone = await arrivals.put('in/gone.csv', 'id,note\n1,a\n')
    await arrivals.remove(gone)
    await arrivals.send(fromS3(gone), eventBridge(gone))
    await arrivals.tell(await arrivals.numbered(5))
    const tally = await arrivals.consume({ messageRetry: { attempts: 2, firstMs: 1 } })
    expect(tally).toMatchObject({ loaded: 5, retried: 2, deadMessages: 2 })
    const [letter, ...others] = await arrivals.letters()
    expect(others).toEqual([])
    expect(letter).toMatchObject({ code: 'SOURCE_MISSING', attempts: 2, pipeline: 'numbers' })
    expect(letter?.detail).toContain(`s3://${arrivals.bucket}/in/gone.csv`)
    expect(letter?.key).toContain(`s3://${arrivals.bucket}/in/gone.csv`)
    expect(arrivals.events).toContainEqual(
      expect.objectContaining({ type: 'waiting', code: 'SOURCE_MISSING' }),
    )
    await arrivals.fixture.expectAllOnce()
  })

  it('because of a missing right is loaded when the right is there', async () => {
    await using arrivals = await open()
    await arrivals.tell(await arrivals.numbered(5))
    s3().trouble = ({ bucket }) =>
      bucket === arrivals.bucket ? { status: 403, code: 'AccessDenied' } : undefined
    try {
      const onEvent = ({ type }: { readonly type: string }) => {
        if (type === 'waiting') s3().trouble = () => undefined
      }
      const tally = await arrivals.consume({ onEvent, messageRetry: { attempts: 1, firstMs: 1 } })
      expect(tally).toMatchObject({ messages: 2, retried: 1, loaded: 5, deadMessages: 0 })
    } finally {
      s3().trouble = () => undefined
    }
    await arrivals.fixture.expectAllOnce()
  })

  it('that the store fails to send keeps no other out, and is a dead letter in the end', async () => {
    await using arrivals = await open()
    const told = [
      await arrivals.numbered(3),
      await arrivals.put('in/bad.csv', 'id,note\n1,x\n'),
      await arrivals.numbered(4),
    ]
    await arrivals.tell(...told)
    vi.spyOn(Math, 'random').mockReturnValue(0)
    s3().trouble = ({ key }) => (key === 'in/bad.csv' ? { status: 500, code: 'InternalError' } : undefined)
    try {
      expect(await arrivals.consume({ maxAttempts: 3 })).toMatchObject({
        loaded: 7,
        retried: 2,
        deadMessages: 1,
      })
    } finally {
      s3().trouble = () => undefined
      vi.restoreAllMocks()
    }
    expect(await arrivals.letters()).toMatchObject([{ code: 'SOURCE_UNAVAILABLE' }])
    await arrivals.fixture.expectAllOnce()
  })

  it('waits for a store that answers for none, and makes no dead letter', async () => {
    await using arrivals = await open()
    await arrivals.tell(await arrivals.numbered(3), await arrivals.numbered(4))
    vi.spyOn(Math, 'random').mockReturnValue(0)
    s3().trouble = ({ bucket }) => (bucket === arrivals.bucket ? 'cut' : undefined)
    let waited = 0
    const onEvent = ({ type }: { readonly type: string }) => {
      if (type === 'waiting' && ++waited === 3) s3().trouble = () => undefined
    }
    try {
      expect(await arrivals.consume({ maxAttempts: 1, onEvent })).toMatchObject({
        loaded: 7,
        retried: 0,
        deadMessages: 0,
      })
    } finally {
      s3().trouble = () => undefined
      vi.restoreAllMocks()
    }
    await arrivals.fixture.expectAllOnce()
  })

  it('stops the consumer, where the credentials are at fault; the messages stay', async () => {
    await using arrivals = await open()
    await arrivals.tell(await arrivals.numbered(5))
    s3().trouble = ({ bucket }) =>
      bucket === arrivals.bucket ? { status: 400, code: 'ExpiredToken' } : undefined
    try {
      expect((await failureOf(arrivals.consume())).code).toBe('SOURCE_REFUSED')
    } finally {
      s3().trouble = () => undefined
    }
    expect(await arrivals.letters()).toEqual([])
    expect(await arrivals.consume()).toMatchObject({ loaded: 5, redelivered: 1 })
  })

  it.for([
    ['HEADER_MISMATCH', 'name,height\nx,1\n'],
    ['SOURCE_CORRUPT', Buffer.from('1f8b0800deadbeef', 'hex')],
    ['UNCLOSED_QUOTE', 'id,note\n1,"a\n'],
  ] as const)(
    'for what its bytes are is a dead letter at once, and the others are loaded: %s',
    async ([code, body]) => {
      await using arrivals = await open()
      const told = [
        await arrivals.numbered(3),
        await arrivals.put('in/bad', body),
        await arrivals.numbered(4),
      ]
      await arrivals.tell(...told)
      expect(await arrivals.consume()).toMatchObject({ messages: 3, loaded: 7, retried: 0, deadMessages: 1 })
      expect(await arrivals.letters()).toMatchObject([{ code }])
      await arrivals.fixture.expectAllOnce()
    },
  )

  it('and lies elsewhere is not read, and is a dead letter', async () => {
    await using arrivals = await open()
    const outside = [
      await arrivals.put('other/a.csv', 'id,note\n1,a\n'),
      await arrivals.put('in', 'id,note\n1,a\n'),
      await arrivals.put('inside.csv', 'id,note\n1,a\n'),
      { bucket: 'another-bucket', key: 'in/a.csv' },
      { bucket: '../x', key: 'in/a.csv' },
    ]
    await arrivals.tell(...outside)
    expect(await arrivals.consume()).toMatchObject({ messages: 5, loaded: 0, deadMessages: 5 })
    expect((await arrivals.letters()).map(({ code }) => code)).toEqual(outside.map(() => 'REFERENCE_REFUSED'))
    expect(arrivals.asked).toEqual([])
  })

  it('is not read by a replay of its letter, which says what loads it', async () => {
    await using arrivals = await open()
    await arrivals.tell(await arrivals.put('in/bad.csv', 'name,height\nx,1\n'))
    await arrivals.consume()
    const [letter] = await arrivals.letters()
    if (letter === undefined) throw new Error('there is no letter')
    const verdict = await replay(letter, { sink: await arrivals.fixture.sink(), model: numbers })
    expect(verdict).toMatchObject({ kind: 'refused', code: 'OBJECT_APART' })
    expect(JSON.stringify(verdict)).toContain(`s3://${arrivals.bucket}/in/bad.csv`)
  })
})

describe('a message', () => {
  it('of a deletion, a test or a folder asks for nothing, which is said once', async () => {
    await using arrivals = await open()
    const removed = s3Record({ bucket: arrivals.bucket, key: 'in/old.csv' })
    await arrivals.send(
      { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: arrivals.bucket },
      ...[1, 2, 3].map(() => ({ Records: [{ ...removed, eventName: 'ObjectRemoved:Delete' }] })),
      fromS3({ bucket: arrivals.bucket, key: 'in/folder/' }),
    )
    expect(await arrivals.consume()).toMatchObject({ messages: 5, loaded: 0, deadMessages: 0 })
    const told = arrivals.events.flatMap((event) => (event.type === 'ignored' ? [event.event] : []))
    expect(told.toSorted()).toEqual(['ObjectRemoved:Delete', 'a folder', 's3:TestEvent'])
    expect(await arrivals.isEmpty()).toBe(true)
  })

  it('that is no notification is a dead letter', async () => {
    await using arrivals = await open()
    await arrivals.sendText('hello')
    await arrivals.send({ id: 1, note: 'a record' })
    expect(await arrivals.consume()).toMatchObject({ messages: 2, deadMessages: 2 })
    expect((await arrivals.letters()).map(({ code }) => code)).toEqual(['NOT_NOTIFIED', 'NOT_NOTIFIED'])
  })

  it('with several objects is settled when each of them has its fate', async () => {
    await using arrivals = await open()
    const [good, bad] = [await arrivals.numbered(5), await arrivals.put('in/bad.csv', 'x\n1\n')]
    await arrivals.send({ Records: [s3Record(good), s3Record(bad), s3Record(good)] })
    expect(await arrivals.consume()).toMatchObject({ messages: 1, loaded: 5, deadMessages: 1 })
    expect(await arrivals.letters()).toHaveLength(1)
    await arrivals.fixture.expectAllOnce()
  })

  it('that is a chunk stops the consumer: the queue is another one, and keeps it', async () => {
    await using arrivals = await open()
    await arrivals.fixture.publish(arrivals.queue, 5)
    const error = await failureOf(arrivals.consume())
    expect(error.code).toBe('USAGE')
    expect(error.message).toContain('without --s3-events')
    expect(await arrivals.isEmpty()).toBe(false)
  })

  it('is held as long as its object takes', async () => {
    await using arrivals = await open('sqlite', 2)
    await arrivals.tell(await arrivals.numbered(5))
    const extensions = () => sqs().calls['ChangeMessageVisibilityBatch'] ?? 0
    const before = extensions()
    s3().trouble = async () => {
      await expect.poll(extensions, { timeout: 30_000 }).toBeGreaterThan(before)
      return undefined
    }
    try {
      expect(await arrivals.consume()).toMatchObject({ loaded: 5, deadMessages: 0 })
    } finally {
      s3().trouble = () => undefined
    }
    await arrivals.fixture.expectAllOnce()
  })

  it('comes again where a stop came first, and the run goes on with what was begun', async () => {
    await using arrivals = await open()
    const objects = []
    for (let n = 0; n < 6; n++) objects.push(await arrivals.numbered(200))
    await arrivals.tell(...objects)
    const stop = new AbortController()
    s3().trouble = ({ bucket }) => {
      if (bucket === arrivals.bucket) stop.abort()
      return undefined
    }
    try {
      await arrivals.consume({ graceMs: 0 }, { signal: stop.signal })
    } finally {
      s3().trouble = () => undefined
    }
    expect(await arrivals.isEmpty()).toBe(false)
    await arrivals.consume()
    await arrivals.fixture.expectAllOnce()
  })
})

it('a run ends after as many batches as it was told', async () => {
  await using arrivals = await open()
  const objects = [await arrivals.numbered(5), await arrivals.numbered(5), await arrivals.numbered(5)]
  await arrivals.tell(...objects)
  const tally = await arrivals.consume({ batch: { messages: 1 } }, { batches: 2 })
  expect(tally).toMatchObject({ messages: 2, loaded: 10 })
  expect(await arrivals.consume()).toMatchObject({ messages: 1, loaded: 5 })
  await arrivals.fixture.expectAllOnce()
})
