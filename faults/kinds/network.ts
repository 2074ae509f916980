/** What networks do to the connections between processes and servers. */
import { type Context, between, type Fault, lasting, type PartName, parts, type Strike } from './fault.ts'

const fault = (
  part: PartName,
  name: string,
  strike: (context: Context) => Promise<Strike | undefined>,
  quick: { isQuick?: true } = {},
): Fault => ({
  name: `${part} ${name}`,
  ...quick,
  obstacle: (lane) =>
    lane[part].proxy === undefined ? `the ${part} is not reached through a network` : undefined,
  strike,
})

/** A fault of the wire for as long as it lasts. */
const wire =
  (part: PartName, name: 'slowMs' | 'sliceBytes', least: number, most: number) =>
  async ({ lane, random }: Context): Promise<Strike> => {
    const { wire: faults = {} } = lane[part]
    faults[name] = between(random, least, most)
    return { holdMs: lasting(random, 500, 4_000), undo: () => void delete faults[name] }
  }

/** The next answer is swallowed to what the client sends with this text, or with any; its connection is cut. */
export async function swallow({ lane }: Context, part: PartName, text: string): Promise<Strike | undefined> {
  const { wire: faults = {} } = lane[part]
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), 10_000)
  faults.swallowReply = (sent) => {
    if (!sent.includes(text)) return false
    delete faults.swallowReply
    resolve(true)
    return true
  }
  const isSwallowed = await promise
  clearTimeout(timer)
  delete faults.swallowReply
  return isSwallowed ? {} : undefined
}

const ofPart = (part: PartName): readonly Fault[] => [
  fault(
    part,
    'connections cut',
    async ({ lane }) => {
      lane[part].proxy?.reset()
      return {}
    },
    { isQuick: true },
  ),
  fault(part, 'silent', async ({ lane, random }) => {
    lane[part].proxy?.blackHole(true)
    return { holdMs: lasting(random, 500, 6_000), undo: () => lane[part].proxy?.blackHole(false) }
  }),
  fault(part, 'connections half-open', async ({ lane }) => {
    lane[part].proxy?.forget()
    return {}
  }),
  fault(part, 'slow', wire(part, 'slowMs', 20, 300)),
  fault(part, 'line sliced', wire(part, 'sliceBytes', 1, 100)),
  fault(part, 'answer lost', (context) => swallow(context, part, '')),
]

export const network: readonly Fault[] = [
  ...parts.flatMap(ofPart),
  fault('database', 'answer to COMMIT lost', (context) => swallow(context, 'database', 'COMMIT'), {
    isQuick: true,
  }),
]
