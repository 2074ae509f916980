/** What is said on the way, on standard error: one line for each thing that a person may want to know. */
import { codes } from '../core/errors.ts'
import { ignoreEvents, type LadingEvent, type Listener } from '../core/events.ts'
import { counted, visible, withoutSecrets } from './output.ts'

/** Files that are named one by one; of more, only the sum is told at the end. */
const mostNamed = 20

export function reporter(quiet: boolean | undefined): Listener {
  if (quiet === true) return ignoreEvents
  let named = 0
  return (event) => {
    if ((event.type === 'published' || event.type === 'skipped') && ++named > mostNamed) return
    const line = lineOf(event)
    if (line !== undefined) process.stderr.write(`${visible(withoutSecrets(line))}\n`)
    if (named === mostNamed && event.type !== 'planned') process.stderr.write('… further files are not named\n')
  }
}

function lineOf(event: LadingEvent): string | undefined {
  switch (event.type) {
    case 'published':
      return `published ${event.source}: ${counted(event.records, 'record')} in ${counted(event.chunks, 'chunk')}`
    case 'skipped':
      return `skipped ${event.source}: ${event.reason}`
    case 'dead':
      return `dead letter ${event.key}: ${event.code}: ${event.detail}`
    case 'waiting':
      return `waiting${lengthOf(event)}: ${event.code}: ${event.message} (${codes[event.code].advice})`
    case 'caution':
      return `caution: ${event.message}`
    case 'foreign':
      return `messages of pipeline ${event.pipeline} are left in the queue for their own consumer`
    case 'resumed':
      return 'resumed'
    case 'planned':
    case 'batch':
      return undefined
  }
}

const lengthOf = ({ delayMs, attempt }: LadingEvent & { readonly type: 'waiting' }): string =>
  delayMs === undefined ? '' : ` ${seconds(delayMs)} (attempt ${attempt})`

const seconds = (ms: number): string => (ms < 100 ? `${Math.ceil(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)
