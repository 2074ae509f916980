/**
 * A run with its page, and a person's browser before it, of which everything that it asks for and complains
 * of is kept.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Folder } from '../cli/run.ts'

export interface Site extends AsyncDisposable {
  readonly url: string
  /** The address that lets a person in. */
  readonly page: string
  log(): string
  /** Resolves with the exit code when the run has ended. */
  readonly ended: Promise<number | null>
  /** Asks the run to end, and waits until it has; returns its exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts a command that shows a page, in the folder, and waits until it does. */
export async function startSite(
  folder: Folder,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Site> {
  const http = args.includes('--http') ? [] : ['--http', '127.0.0.1:0']
  const child = folder.start([...args, ...http], env)
  let log = ''
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const told = new Promise<RegExpExecArray | null>((resolve) => {
    void ended.then(() => resolve(null))
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        log += String(data)
        const found = /metrics and health at ((http:\/\/[^\s/]+)\S*)\n/.exec(log)
        if (found !== null) resolve(found)
      })
  })
  const end = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return ended
  }
  const [, page, url] = (await told) ?? []
  if (url === undefined || page === undefined) throw new Error(`it shows no page: ${log}`)
  return { url, page, log: () => log, ended, end, [Symbol.asyncDispose]: async () => void (await end()) }
}

export interface Look {
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
}

/** A browser's only page: a new one costs as much CPU time as what most visitors do. */
const pages = new WeakMap<Browser, Promise<Page>>()

export class Visitor implements AsyncDisposable {
  readonly page: Page
  /** Addresses that the page asked for. */
  readonly requests: string[] = []
  /** What the console, the policy and the scripts complained of. */
  readonly complaints: string[] = []
  readonly #origin: string

  private constructor(page: Page, url: string) {
    this.page = page
    this.#origin = new URL(url).origin
    page.on('request', (request) => this.requests.push(request.url()))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.complaints.push(String(error)))
  }

  /** One at a time in a browser. */
  static async come(
    browser: Browser,
    url: string,
    { width = 1280, height = 900, dark = false }: Look = {},
  ): Promise<Visitor> {
    const opened = pages.get(browser) ?? browser.newPage({ reducedMotion: 'reduce' })
    pages.set(browser, opened)
    const page = await opened
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
    const visitor = new Visitor(page, url)
    await page.goto(url)
    return visitor
  }

  /** Runs one of the scripts of this folder in the page. */
  check<Result>(name: string): Promise<Result> {
    return this.page.evaluate(readFileSync(join(import.meta.dirname, name), 'utf8'))
  }

  /** Nothing was asked of anybody else, and nothing went wrong. */
  expectCalm({ url }: Site): void {
    expect(this.requests.filter((each) => !each.startsWith(`${url}/`))).toEqual([])
    expect(this.complaints).toEqual([])
  }

  /** Leaves what has scripts, so that nothing of it is taken for the next visitor's. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.goto(`${this.#origin}/none`).catch(() => undefined)
    for (const name of ['request', 'console', 'pageerror']) this.page.removeAllListeners(name)
    await this.page.context().clearCookies()
  }
}
