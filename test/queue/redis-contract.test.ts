import { describeRedis } from '../../tooling/servers/streams.ts'
import { queueContract } from '../contract/queue/queue.ts'
import { queueModule } from './module.ts'

describeRedis('over Redis', ({ freshUrl }) => {
  queueContract('a stream', {
    module: queueModule,
    create: async (leaseMs) => ({
      url: freshUrl(`&lease=${leaseMs / 1000}s`),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    many: 2_000,
  })
})
