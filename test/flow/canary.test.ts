/** Whatever a run prints, logs or stores, an address and a device id are in it masked or not at all. */
import { expect, it } from 'vitest'
import { Folder } from '../cli/run.ts'
import { query } from '../support/fixture.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { sqsEnvironment, useSqs } from '../../tooling/servers/sqs.ts'

const { server, freshSqsUrl } = useSqs()

const ip = '203.0.113.77'
const device = '471-11-9042'
const canaries = [
  ip,
  device,
  encodeURIComponent(ip),
  Buffer.from(ip).toString('base64'),
  Buffer.from(ip).toString('hex'),
]

const login = {
  user_id: 'u-1',
  app_version: '2.3.0',
  device_type: 'android',
  ip,
  locale: 'RU',
  device_id: device,
}
const deep = `${'{"a":'.repeat(200)}"${ip}"${'}'.repeat(200)}`

/**
 * In every shape in which somebody might send them. What stands in a field of another name is taken for what
 * that name says.
 */
const bodies: readonly string[] = [
  JSON.stringify(login),
  JSON.stringify({ ...login, app_version: 'new' }),
  JSON.stringify({ ...login, locale: 'x'.repeat(300) }),
  JSON.stringify({ ...login, ip: { v4: ip } }),
  JSON.stringify({ ...login, ip: [ip] }),
  JSON.stringify({ ...login, IP: ip, device: { id: device } }),
  JSON.stringify([login, { ...login, user_id: null }]),
  `${JSON.stringify(login)}\n{"ip": "${ip}", "device_id": "${device}"\n`,
  JSON.stringify(login).slice(0, -5),
  `${JSON.stringify(login)} and ${ip}`,
  `{"user_id": "u", "ip": "${ip}", "ip": "${ip}"}`,
  `{"__proto__": {"ip": "${ip}"}, "device_id": "${device}"}`,
  `{"ip": "${ip}\\ud800", "device_id": "${device}"}`,
  JSON.stringify({ foo: 'oops_wrong_msg_type', bar: ip }),
  `{"user_id": 12345678901234567890123, "ip": "${ip}"}`,
  deep,
  JSON.stringify(`${ip} ${device}`),
  `login from ${ip} with ${device}`,
]

async function send(url: string): Promise<void> {
  for (const body of bodies) {
    const MessageAttributes = { note: { DataType: 'String', StringValue: `from ${ip}` } }
    await server().call('SendMessage', { QueueUrl: url, MessageBody: body, MessageAttributes })
  }
}

/** Everything that the database holds, as text. */
async function contentOf(url: string): Promise<string> {
  const tables = await query<{ name: string }>(
    url,
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
  )
  const texts: string[] = []
  for (const { name } of tables) {
    for (const row of await query<Record<string, unknown>>(url, `SELECT * FROM ${name}`)) {
      for (const value of Object.values(row))
        texts.push(Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value))
    }
  }
  return texts.join('\n')
}

function expectNoCanary(text: string, where: string): void {
  for (const canary of canaries) expect(text.includes(canary), `${canary} in ${where}`).toBe(false)
}

describePostgres('PostgreSQL', () => {
  it.each<[string, Record<string, string>]>([
    ['without a key', {}],
    ['with a key', { LADING_MASK_KEY: 'k'.repeat(40) }],
  ])('no output and no table holds an unmasked address or device id, %s', async (_, key) => {
    await using database = await freshDatabase()
    await using folder = await Folder.make()
    const url = await freshSqsUrl({ VisibilityTimeout: '30' })
    await send(url)
    const env = {
      ...sqsEnvironment,
      ...key,
      LADING_QUEUE: url,
      LADING_TO: database.url,
      LADING_MODEL: 'user_logins',
    }
    const told: string[] = []
    const lading = async (...args: string[]) => {
      const { code, out, err } = await folder.run([...args, '--log-level', 'debug', '--log-format', 'json'], {
        env,
      })
      told.push(out, err)
      expectNoCanary(out, `the output of ${args.join(' ')}`)
      expectNoCanary(err, `what ${args.join(' ')} says on the way`)
      return { code, out }
    }
    await lading('peek', '20')
    await lading('peek', '20', '--json')
    expect((await lading('consume', '--until-empty', '--json')).code).toBe(3)
    for (const command of [['status'], ['verify'], ['rejects', 'list'], ['dead', 'list']]) {
      await lading(...command)
      await lading(...command, '--json')
    }
    const dead = JSON.parse((await lading('dead', 'list', '--json')).out) as { id: number }[]
    expect(dead.length).toBeGreaterThan(10)
    // Both runs search what is stored; one of them shows every letter.
    const shown = Object.keys(key).length > 0 ? dead : dead.slice(0, 2)
    for (const { id } of shown) await lading('dead', 'show', String(id))
    const rejects = JSON.parse((await lading('rejects', 'list', '--json')).out) as { id: number }[]
    expect(rejects.length).toBeGreaterThan(0)
    for (const { id } of rejects) await lading('rejects', 'show', String(id))
    await lading('dead', 'replay')
    await lading('dead', 'replay', '--ignore-extra')
    expectNoCanary(await contentOf(database.url), 'the database')
    const [count] = await query<{ n: number }>(database.url, 'SELECT count(*)::int AS n FROM user_logins')
    expect(count?.n).toBeGreaterThanOrEqual(2)
    expect(told.join('').length).toBeGreaterThan(1_000)
  })
})
