/** What `lading doctor` finds of a queue in memory: nothing of it outlives the process. */
import { type Finding, findingsAbout } from '../../core/finding.ts'
import { parseMemory } from './address.ts'

const { note } = findingsAbout('queue')

export async function* examine(url: string): AsyncGenerator<Finding> {
  parseMemory(url.slice(url.indexOf(':') + 1))
  yield note(
    'queue',
    'it is in the memory of one process: a load that is killed leaves no message, and begins anew where the ledger does not know better',
    'leave --queue away (the embedded queue keeps them)',
  )
}
