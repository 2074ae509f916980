/**
 * A server of SQS in a process of its own: prints the URL of its queue as its first line, and ends when its
 * standard input does.
 */
import { startSqsStub } from '../../tooling/servers/sqs-stub.ts'

const server = await startSqsStub()
console.log(server.url('bench'))
process.stdin.resume()
process.stdin.on('end', () => void server.stop())
