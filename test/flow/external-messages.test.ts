/** Messages that somebody else publishes, in another language, with another client. */
import { expect, it } from 'vitest'
import { Folder } from '../cli/run.ts'
import { query } from '../support/fixture.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { Unavailable } from '../../tooling/servers/machine.ts'
import { publishWithPika, pythonWithPika } from '../../tooling/servers/pika.ts'
import { skipLoudly } from '../queue/system.ts'

const records = 10_000

/** Every tenth message a second time, as a publisher does that saw no confirm. */
const publisher = `
import json, sys, pika
channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
queue, records = sys.argv[2], int(sys.argv[3])
channel.queue_declare(queue, passive=True)
def publish(body, message_id):
    properties = pika.BasicProperties(message_id=message_id, delivery_mode=2, content_type='application/json', headers={'shift': 7})
    channel.basic_publish('', queue, body, properties)
for n in range(records):
    body = json.dumps({'record_time': '2021-01-%02d %02d:%02d:%02d+00:00' % (1 + n // 3600 % 28, n // 60 % 24, n % 60, n // 100800), 'sensor_id': 'sensor-%d' % n, 'value': n / 8})
    publish(body, 'reading-%d' % n)
    if n % 10 == 0: publish(body, 'reading-%d' % n)
publish('{"record_time": "2021-01-01 00:00:00+00:00", "sensor_id": ', 'cut')
publish('over and out', 'words')
publish(json.dumps({'foo': 'oops', 'bar': '123'}), 'other')
# The broker has routed them, and a queue counts them a little later.
for _ in range(600):
    if channel.queue_declare(queue, passive=True).method.message_count >= records + records // 10 + 3: break
    channel.connection.process_data_events(0.05)
channel.connection.close()
`

describePostgres('PostgreSQL', () => {
  describeRabbit('RabbitMQ', () => {
    it('10,000 JSON records of a Python publisher are 10,000 rows, and 3 broken ones are dead letters with reasons', async (context) => {
      try {
        pythonWithPika()
      } catch (error) {
        if (error instanceof Unavailable) skipLoudly(context, error.message)
        throw error
      }
      await using database = await freshDatabase()
      await using folder = await Folder.make()
      const queueUrl = freshQueueUrl()
      const env = { LADING_QUEUE: queueUrl, LADING_TO: database.url }
      // Makes the queue, and finds it empty.
      expect((await folder.run(['consume', '--until-empty'], { env })).code).toBe(0)
      const url = new URL(queueUrl)
      const queue = url.searchParams.get('queue') ?? ''
      url.search = ''
      url.pathname = '/%2F'
      publishWithPika(publisher, url.href, queue, String(records))

      const consumed = await folder.run(['consume', '--until-empty', '--json'], { env })
      expect(consumed.code, consumed.err).toBe(3)
      expect(JSON.parse(consumed.out)).toMatchObject({
        messages: 11_003,
        duplicates: 1_000,
        records,
        loaded: records,
        rejected: 0,
        deadMessages: 3,
      })
      const [table] = await query(
        database.url,
        'SELECT count(*)::int AS rows, count(DISTINCT sensor_id)::int AS sensors, sum(value) AS sum FROM records',
      )
      expect(table).toEqual({ rows: records, sensors: records, sum: (records * (records - 1)) / 2 / 8 })
      const dead = JSON.parse((await folder.run(['dead', 'list', '--json'], { env })).out) as {
        code: string
        detail: string
      }[]
      expect(dead.map(({ code }) => code).sort()).toEqual(['EXTRA_FIELD', 'NOT_OURS', 'NOT_OURS'])
      for (const { detail } of dead) expect(detail).not.toBe('')
    })
  })
})
