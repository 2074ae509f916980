import { useNats } from '../../tooling/servers/nats.ts'
import { queueContract } from '../contract/queue/queue.ts'
import { queueModule } from './module.ts'

const { freshUrl } = useNats()

queueContract('NATS JetStream', {
  module: queueModule,
  create: async (leaseMs) => ({
    url: freshUrl({ lease: String(leaseMs / 1000) }),
    [Symbol.asyncDispose]: async () => undefined,
  }),
  deviations: [
    {
      reason: 'JetStream counts what is given back as delivered',
      tests: ['what was given back comes again at once, as the same attempt'],
    },
    {
      reason: 'JetStream counts what is to come back later as in flight',
      tests: ['depth tells what is ready and in flight'],
    },
  ],
  many: 2_000,
})
