/** Corrects what can be corrected of the rejects, and replays it, again and again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { editReject, openSink, rejectPages, replayRejects, type StoredReject } from 'lading'
import { assignment, model, patiently, say, stopping } from './assignment.ts'

await using sink = await openSink(assignment.target)
const { ledger } = sink

async function open(): Promise<readonly StoredReject[]> {
  if ((await ledger.isThere?.()) === false) return []
  const found: StoredReject[] = []
  for await (const page of rejectPages(ledger, { code: 'BAD_INTEGER' })) found.push(...page)
  return found
}

while (!stopping.aborted) {
  const rejects = await patiently(open)
  for (const reject of rejects) {
    if (reject.edited !== undefined) continue
    const text = Buffer.from(reject.raw).toString().replace('bad', '')
    await patiently(() => editReject(reject, Buffer.from(text), { sink, model }))
  }
  const edited = await patiently(open)
  await patiently(() => replayRejects(edited, { sink, model }))
  say({ type: 'working', mendable: rejects.length })
  await sleep(200)
}
