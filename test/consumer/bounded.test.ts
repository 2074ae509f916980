import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { type LadingEvent, tellAll } from '../../src/core/events.ts'
import { reporter } from '../../src/cli/terminal/report.ts'
import { writeThrough } from '../../src/cli/terminal/log.ts'
import type { Headers } from '../../src/queue/queue.ts'
import { numbers, Fixture } from '../support/fixture.ts'

const mostBytes = 8_192
const long = 'x'.repeat(7 << 20)
const hash = 'a'.repeat(64)

function forged(change: object): Headers {
  const load = {
    id: '3c9d0000-0000-4000-8000-000000000000',
    source: 'a.csv',
    sha256: hash,
    bytes: 1,
    plan: hash,
    chunks: 1,
    records: 1,
  }
  const rest = {
    chunk: 0,
    records: 1,
    sha256: hash,
    byteStart: 0,
    firstRecord: 1,
    firstLine: 1,
    delimiter: ',',
    quote: '"',
  }
  return { lading: JSON.stringify({ v: 1, pipeline: 'numbers', load, ...rest, fields: ['id'], ...change }) }
}

it('no line of the log, no event and no reason that is kept is long, whatever an external sender sends', async () => {
  await using fixture = await Fixture.open('sqlite')
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const messages: readonly (readonly [key: string, body: string, headers: Headers])[] = [
    ['fields', '', forged({ fields: ['id', long] })],
    ['source', '', forged({ load: { source: long } })],
    ['pipeline', '', forged({ pipeline: long })],
    ['version', '', forged({ v: 2, reference: { path: long, bytes: 1 } })],
    ['field', JSON.stringify({ id: 1, [long]: 1 }), {}],
    ['value', JSON.stringify({ id: long }), {}],
    [long, 'no JSON', {}],
  ]
  await queue.publish(messages.map(([key, body, headers]) => ({ key, body: Buffer.from(body), headers })))
  const events: LadingEvent[] = []
  const lines: string[] = []
  writeThrough((text) => void lines.push(text))
  try {
    const onEvent = tellAll((event) => void events.push(event), reporter())
    const tally = await createConsumer({ queue, sink, model: numbers, onEvent }).run({ untilEmpty: true })
    expect(tally).toMatchObject({ deadMessages: messages.length, loaded: 0 })
  } finally {
    writeThrough(undefined)
  }
  const letters = await sink.ledger.deadLetters({ limit: 100 })
  expect(letters).toHaveLength(messages.length)
  const texts = [
    ...events.map((event) => JSON.stringify(event)),
    ...lines,
    ...letters.map(({ detail }) => detail),
  ]
  expect(texts.length).toBeGreaterThan(2 * messages.length)
  for (const each of texts) expect(Buffer.byteLength(each), each.slice(0, 200)).toBeLessThan(mostBytes)
})
