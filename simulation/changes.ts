/** Lines of the program that are loaded otherwise: limits that are made as small as what is simulated, and faults. */
import { registerHooks } from 'node:module'

export interface Change {
  readonly file: string
  readonly line: string
  readonly instead: string
}

/** Small files fill several windows of the producer, and more than its queue is to hold. */
export const smallLimits: readonly Change[] = [
  {
    file: 'src/producer/window.ts',
    line: 'const windowMessages = 256',
    instead: 'const windowMessages = 2',
  },
  {
    file: 'src/load/room.ts',
    line: 'const mostWaitingBytes = 64 * 1024 * 1024',
    instead: 'const mostWaitingBytes = 48',
  },
]

/** From now on the file is loaded with the other line in it. */
export function change({ file, line, instead }: Change): void {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context)
      if (!url.endsWith(`/${file}`)) return loaded
      const text = String(loaded.source)
      if (!text.includes(line)) throw new Error(`${file} has no line ${JSON.stringify(line)}`)
      return { ...loaded, source: text.replace(line, () => instead) }
    },
  })
}
