/** Sends the files of a round, or the messages in them, one after the other as they come: send.ts ASSIGNMENT STATE */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openQueue, produce } from 'lading'
import { filePath, lastPath, type Message } from '../content.ts'
import { assignment, chunkBytes, model, patiently, say } from './assignment.ts'

const { format, folder, carry } = assignment
/** Consumers shall have work all the time, and not so much that it never ends. */
const mostWaiting = 60
const messagesAtOnce = 20

await using queue = await patiently(() => openQueue(assignment.queue))

const send = {
  csv: sendFile,
  ndjson: sendFile,
  messages: async (path: string) => {
    const messages = JSON.parse(await readFile(path, 'utf8')) as readonly Message[]
    for (let at = 0; at < messages.length; at += messagesAtOnce) {
      const window = messages
        .slice(at, at + messagesAtOnce)
        .map(({ key, body }) => ({ key, body: Buffer.from(body), headers: {} }))
      await patiently(() => queue.publish(window))
      say({ type: 'working' })
    }
  },
}[format]

async function sendFile(path: string): Promise<void> {
  await produce({
    paths: [path],
    model,
    queue,
    statePath: process.argv[3] ?? '',
    chunkBytes,
    carry,
    root: folder,
    onEvent: say,
  })
}

async function isThere(path: string): Promise<boolean> {
  for (;;) {
    const isLast = existsSync(lastPath(folder))
    if (existsSync(path)) return true
    if (isLast) return false
    await sleep(20)
  }
}

for (let file = 0; await isThere(filePath(folder, file, format)); file++) {
  while ((await patiently(() => queue.depth())).ready > mostWaiting) await sleep(50)
  await send(filePath(folder, file, format))
  say({ type: 'working', file })
}
