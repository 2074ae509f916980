/** The test that the README shows holds with every other queue and sink in its place. */
import { describe, expect, it } from 'vitest'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'
import { blocksOf } from './blocks.ts'
import { Places } from './places.ts'
import { runPage } from './run-page.ts'

const blocks = blocksOf('README.md').filter(({ language }) => language === 'ts')

async function expectToHold(queue: string, sink: string): Promise<void> {
  const moved = blocks.map((block) => ({
    ...block,
    code: block.code.replace("'memory:'", `'${queue}'`).replace("'sqlite::memory:'", `'${sink}'`),
  }))
  expect(moved.some(({ code }) => code.includes(`'${queue}'`) && code.includes(`'${sink}'`))).toBe(true)
  const run = {
    language: 'sh',
    untilStopped: false,
    code: '$ node --test orders.test.ts\n…\nℹ pass 1\n…\n',
    line: 0,
  }
  await using places = await Places.of('')
  expect(await runPage([...moved, run], places)).toEqual([])
}

it('the embedded queue, and a SQLite file', () => expectToHold('embedded:queue.db', 'sqlite:orders.db'))

describe('SQS', () => {
  const { freshSqsUrl } = useSqs()
  it('takes the place of a queue in memory', async () => expectToHold(await freshSqsUrl(), 'sqlite::memory:'))
})

describePostgres('PostgreSQL', () => {
  it('takes the place of SQLite', async () => {
    await using database = await freshDatabase()
    await expectToHold('memory:', database.url)
  })

  describeRabbit('RabbitMQ', () => {
    it('takes the place of a queue in memory, with PostgreSQL', async () => {
      await using database = await freshDatabase()
      await expectToHold(freshQueueUrl(), database.url)
    })
  })
})
