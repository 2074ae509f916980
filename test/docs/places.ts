/** Servers that pages name, and what takes their place in a test. */
import { startSqsStub } from '../../tooling/servers/sqs-stub.ts'
import { freshQueueUrl } from '../../tooling/servers/broker.ts'
import { dropRole, freshDatabase } from '../../tooling/servers/database.ts'
import { freePort } from '../../tooling/servers/engine.ts'

const database = /postgres(?:ql)?:\/\/(?:([^\s@'"/:]+)(:[^\s@'"/]*)?@)?localhost(?::5432)?\/(\w+)/g
const broker = /amqp:\/\/[^\s'"]*@localhost[^\s'"]*\bqueue=(\w+)[^\s'"]*/g
const sqs = /http:\/\/localhost:4566\/0+\/([\w-]+)/g
const port = /\b9090\b/g

export const needsPostgres = (text: string): boolean => new RegExp(database).test(text)
export const needsRabbit = (text: string): boolean => new RegExp(broker).test(text)

export class Places implements AsyncDisposable {
  readonly #close: (() => Promise<unknown>)[] = []
  /** By what stands on the page. */
  readonly #urls = new Map<string, URL>()
  readonly #names: (readonly [ours: string, shown: string])[] = []
  #port = 0

  static async of(text: string): Promise<Places> {
    const places = new Places()
    // A role can be dropped when no database has anything of it.
    for (const [, role = ''] of text.matchAll(/\bCREATE ROLE (\w+)/g))
      places.#close.push(() => dropRole(role))
    for (const [, , , name = ''] of text.matchAll(database)) await places.#addDatabase(name)
    for (const [, name = ''] of text.matchAll(broker)) places.#add(`queue ${name}`, () => freshQueueUrl())
    const queues = new Set([...text.matchAll(sqs)].map(([, name = '']) => name))
    if (queues.size > 0) await places.#addSqs(queues)
    if (new RegExp(port).test(text)) places.#port = await freePort()
    return places
  }

  /** The page's first database, for its superuser. */
  get databaseUrl(): string {
    const found = [...this.#urls].find(([name]) => name.startsWith('database '))
    if (found === undefined) throw new Error('the page names no database for its SQL')
    return found[1].href
  }

  /** With the private servers in place of those that the text names. */
  here(text: string): string {
    const fresh = (key: string) => this.#urls.get(key) as URL
    return text
      .replaceAll(database, (_, user: string | undefined, password: string | undefined, name: string) => {
        const url = new URL(fresh(`database ${name}`))
        if (user !== undefined && user !== 'me') url.username = user
        if (user !== 'me') url.password = password?.slice(1) ?? ''
        return url.href
      })
      .replaceAll(broker, (_, name: string) => fresh(`queue ${name}`).href)
      .replaceAll(sqs, (_, name: string) => fresh(`sqs ${name}`).href)
      .replaceAll(port, String(this.#port))
      .replaceAll(
        /(?<=\bDATABASE )\w+/g,
        (name) => this.#urls.get(`database ${name}`)?.pathname.slice(1) ?? name,
      )
  }

  /** What was printed, as the page would show it. */
  back(text: string): string {
    let shown = text
    for (const [ours, theirs] of this.#names) shown = shown.replaceAll(ours, theirs)
    shown = shown.replaceAll(
      /postgres(ql)?:\/\/(postgres@)?/g,
      (_, __, user) => `postgresql://${user === undefined ? '' : 'me@'}`,
    )
    return this.#port === 0 ? shown : shown.replaceAll(String(this.#port), '9090')
  }

  async #addDatabase(name: string): Promise<void> {
    const key = `database ${name}`
    if (this.#urls.has(key)) return
    const made = await freshDatabase()
    this.#close.push(() => made.drop())
    const url = new URL(made.url)
    this.#urls.set(key, url)
    this.#names.push([url.pathname.slice(1), name], [url.host, 'localhost'])
  }

  #add(key: string, make: () => string): void {
    if (!this.#urls.has(key)) this.#urls.set(key, new URL(make()))
  }

  async #addSqs(names: ReadonlySet<string>): Promise<void> {
    const stub = await startSqsStub()
    this.#close.push(() => stub.stop())
    for (const name of names) this.#urls.set(`sqs ${name}`, new URL(await stub.createQueue(name, {})))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#close.toReversed()) await close()
  }
}
