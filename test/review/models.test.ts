import { expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { KeptModels } from '../../src/review/models.ts'
import { replayAnyRejects } from '../../src/review/replay.ts'
import type { StoredReject } from '../../src/sink/ledger.ts'
import { Fixture } from '../support/fixture.ts'
import { untouched, wrapSink } from '../support/wrappers.ts'

it('a database that fails is not taken for one that lacks the table of a pipeline', async () => {
  await using fixture = await Fixture.open()
  const sink = await fixture.sink()
  await fixture.target.execute('CREATE TABLE "shop.orders" (id INTEGER)')
  let isThere = false
  const failing = wrapSink(sink, untouched, {
    table: async (...args) => {
      if (!isThere) throw new LadingError('SINK_UNAVAILABLE', 'says the test')
      return await sink.table?.(...args)
    },
  })
  const kept = { pipeline: 'shop.orders', layout: { fields: ['id'], ofTable: {} } }
  const modelOf = () => new KeptModels(failing, { usual: new Map() }).modelOf(kept)
  await expect(modelOf()).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
  const models = new KeptModels(failing, { usual: new Map() })
  const rejects = [kept as unknown as StoredReject]
  await expect(replayAnyRejects(rejects, { models, sink })).rejects.toMatchObject({
    code: 'SINK_UNAVAILABLE',
  })
  isThere = true
  expect(await modelOf()).toMatchObject({ table: 'shop.orders' })
})
