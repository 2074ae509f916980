import { queueContract } from '../contract/queue/queue.ts'
import { queueModule } from './module.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'

const { freshSqsUrlWithDead } = useSqs()

queueContract('SQS', {
  module: queueModule,
  create: async (leaseMs) => ({
    url: await freshSqsUrlWithDead({ VisibilityTimeout: String(leaseMs / 1000) }),
    [Symbol.asyncDispose]: async () => undefined,
  }),
  deviations: [
    {
      reason: 'SQS counts what is given back as delivered',
      tests: ['what was given back comes again at once, as the same attempt'],
    },
    {
      reason: 'SQS shows messages only by delivering them, counts that, and puts them behind others',
      tests: ['peek shows messages and changes nothing'],
    },
    {
      reason: 'SQS counts what is to come back later as in flight',
      tests: ['depth tells what is ready and in flight'],
    },
  ],
  many: 2_000,
})
