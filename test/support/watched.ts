/** A `lading` process that answers over HTTP, and what it answers. */
import { expect } from 'vitest'
import { type Lading, startLading } from './lading.ts'

export interface Watched extends Lading {
  readonly url: string
  status(path: string): Promise<number>
  /** The value of a metric without labels, or with those given as they stand in the text. */
  metric(name: string): Promise<number | undefined>
}

export async function startWatched(...args: readonly string[]): Promise<Watched> {
  const lading = startLading(...args, '--http', '127.0.0.1:0', '--log-format', 'json')
  let url = ''
  await expect
    .poll(() => (url = /"type":"http","url":"([^"]+)"/.exec(lading.output())?.[1] ?? ''), {
      timeout: 20_000,
      message: lading.output(),
    })
    .not.toBe('')
  return {
    ...lading,
    url,
    status: async (path) => (await fetch(`${url}${path}`)).status,
    metric: async (name) => {
      const text = await (await fetch(`${url}/metrics`)).text()
      const line = text.split('\n').find((each) => each.startsWith(`${name} `))
      return line === undefined ? undefined : Number(line.slice(name.length + 1))
    },
  }
}
