/**
 * What it costs to be looked at: the same load with and without `--http`, which somebody asks for everything
 * once a second.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../tooling/servers/engine.ts'
import { measurable } from '../context.ts'
import { type LadingOptions, loadWays } from '../lading.ts'
import { recordsBrin } from '../models/records-brin.ts'
import { userModel } from '../models.ts'
import { resetTable, tableState } from '../postgres.ts'
import type { Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import type { Section } from './section.ts'

const everyMs = 1_000
const token = 'a token of the bench'.replaceAll(' ', '-')

export const observed: Section = {
  name: 'observed',
  heading: 'Metrics and what a page shows',
  about: `The same load alone, and with \`--http\` while a client requests \`/metrics\` and everything that a page shows (\`/api/snapshot\`) once a
second, from the first answer on. The client's CPU time is not counted, but it comes from the same cores.`,
  records: 1_000_000,
  sensors: [10],
  tables: async (context, size) => {
    const server = await context.postgres()
    const data = await context.data(size)
    const model = userModel('records-brin', context.temporary)
    const lading = { data: data.folder, model, target: server.url, consumers: context.options.consumers }
    let answers = 0
    const onAnswer = () => void answers++
    return [
      {
        title: `${filesOf(size)} into a table with primary key and BRIN index`,
        unit: 'rows',
        records: size.records,
        ways: context.options.consumers.flatMap((n) => [
          ...loadWays({ ...lading, consumers: [n] }),
          observedWay({ ...lading, consumers: [n] }, n, onAnswer),
        ]),
        servers: measurable(['PostgreSQL', server]),
        reset: () => resetTable(server.url, recordsBrin),
        state: () => tableState(server.url, recordsBrin),
        notes: () => [`The client had ${answers} answers.`],
      },
    ]
  },
}

function observedWay(options: LadingOptions, consumers: number, onAnswer: () => void): Way {
  return {
    name: `\`lading load --consumers ${consumers} --http …\`, asked every second`,
    isLading: true,
    run: async (folder) => {
      const port = await freePort()
      const file = join(folder, 'token')
      writeFileSync(file, token)
      using _ = asking(port, onAnswer)
      const [way] = loadWays({ ...options, common: ['--http', String(port), '--http-token', file] })
      return await (way as Way).run(folder)
    },
  }
}

/** Asks for everything, again and again, until it is disposed of. */
function asking(port: number, onAnswer: () => void): Disposable {
  const headers = { authorization: `Bearer ${token}` }
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    await response.arrayBuffer()
    if (response.ok) onAnswer()
  }
  const timer = setInterval(() => {
    // Before it listens and after it has ended nobody answers.
    for (const path of ['/metrics', '/api/snapshot']) ask(path).catch(() => undefined)
  }, everyMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
