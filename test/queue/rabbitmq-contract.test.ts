import { queueContract } from '../contract/queue/queue.ts'
import { queueModule } from './module.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'

const noLeases = {
  reason: 'a broker holds a delivery for its channel as long as that is open; no lease runs out',
  tests: [
    'who lost his lease changes nothing for the new holder',
    'a delivery that is extended stays with its holder beyond the lease',
  ],
}
const countsReturns = {
  reason:
    'a broker counts what is given back as delivered; what is given back for later goes as a copy and is not counted',
  tests: ['what was given back comes again at once, as the same attempt'],
}
const noPeek = {
  reason: 'a broker shows messages only by delivering them, and counts that',
  tests: ['peek shows messages and changes nothing'],
}

describeRabbit('over RabbitMQ', () => {
  for (const [name, parameters, many] of [
    ['a quorum queue', '', 4_000],
    ['a quorum queue that is polled', '&receive=poll', 2_000],
    ['a classic queue', '&type=classic', 2_000],
  ] as const) {
    queueContract(name, {
      module: queueModule,
      create: async () => ({
        url: freshQueueUrl() + parameters,
        [Symbol.asyncDispose]: async () => undefined,
      }),
      deviations: [noLeases, countsReturns, noPeek],
      many,
    })
  }
})
