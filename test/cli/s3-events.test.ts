import { expect, it } from 'vitest'
import { sqsEnvironment } from '../../tooling/servers/sqs.ts'
import { type Arrivals, useArrivals } from '../objects/arrivals.ts'
import { expectError, Folder, header, record, records } from './run.ts'

const { open } = useArrivals()

async function command() {
  const arrivals = await open()
  const folder = await Folder.make()
  const options = ['--queue', arrivals.queueUrl, '--s3-events', arrivals.place, '--until-empty']
  return {
    arrivals,
    folder,
    consume: (...args: readonly string[]) =>
      folder.run(['consume', ...options, ...args], { env: sqsEnvironment }),
    lading: (...args: readonly string[]) => folder.run(args, { env: sqsEnvironment }),
    async [Symbol.asyncDispose]() {
      await arrivals[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

it('consume --s3-events loads the objects that arrived into a table that it makes, once', async () => {
  await using all = await command()
  const objects = [
    await all.arrivals.put('in/a.csv', records(20)),
    await all.arrivals.put('in/b.csv', header + record(30)),
  ]
  await all.arrivals.tell(...objects, ...objects)
  const first = await all.consume('--table', 'readings', '--json')
  expect(first.code, first.err).toBe(0)
  expect(JSON.parse(first.out)).toMatchObject({ loaded: 21, duplicates: 2, deadMessages: 0 })
  await all.arrivals.tell(...objects)
  const again = await all.consume('--table', 'readings')
  expect(again.code, again.err).toBe(0)
  expect(again.out).toContain('this run loaded 0 records')
  expect(all.folder.rows('readings')).toBe(21)
  expect((await all.lading('verify')).code).toBe(0)
})

it('what could not be loaded is a dead letter that names the object, and a load of the folder takes it', async () => {
  await using all = await command()
  await all.arrivals.tell(await all.arrivals.put('in/a.csv', 'name,height\nx,1\n'))
  const run = await all.consume('--model', 'records')
  expect(run.code, run.err).toBe(3)
  expect(run.err).toContain('HEADER_MISMATCH')
  const path = all.arrivals.pathOf('in/a.csv')
  const replayed = await all.lading('dead', 'replay', '1')
  expect(replayed.code).toBe(3)
  expect(replayed.out + replayed.err).toContain(path)
  await all.arrivals.put('in/a.csv', records(3))
  expect((await all.lading('load', all.arrivals.place, '--model', 'records')).code).toBe(0)
  expect((await all.lading('dead', 'discard', '1')).code).toBe(0)
  expect(all.folder.rows()).toBe(3)
  expect((await all.lading('verify')).code).toBe(0)
})

it.for([
  ['without a table', [], '--s3-events needs --table or --model'],
  ['of a path', ['--table', 't', '--s3-events', './inbox'], '--s3-events takes a folder of S3'],
  ['of a pattern', ['--table', 't', '--s3-events', 's3://bucket/*.csv'], 'neither a pattern nor a version'],
] as const)('consume --s3-events %s is refused before anything is taken', async ([, args, sentence]) => {
  await using all = await command()
  await all.arrivals.tell(await all.arrivals.put('in/a.csv', records(2)))
  expectError(await all.consume(...args), 'USAGE', 64, sentence)
  expect(await holds(all.arrivals)).toBe(1)
})

it('what says how objects are read is refused where messages hold records', async () => {
  await using folder = await Folder.make()
  const run = await folder.lading('consume', '--until-empty', '--delimiter', ';')
  expectError(run, 'USAGE', 64, '--delimiter is of objects')
})

const holds = async ({ queue }: Arrivals): Promise<number> => (await queue.depth()).ready
