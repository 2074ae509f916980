import { rename } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { expectError, Folder, record, records } from './run.ts'

describe.concurrent('--carry reference', () => {
  it('loads in several processes, which read below the same root', async () => {
    await using folder = await Folder.make({ 'in/a.csv': records(50), 'in/b.csv': records(0) + record(50) })
    const run = await folder.lading(
      'load',
      'in',
      '--carry',
      'reference',
      '--root',
      'in',
      '--consumers',
      '2',
      '--chunk-bytes',
      '100',
    )
    expect(run.code, run.err).toBe(0)
    expect(folder.rows()).toBe(51)
  })

  it('needs the file when it is consumed, and dead replay loads it when it is back', async () => {
    await using folder = await Folder.make({ 'in/a.csv': records(5) })
    expect((await folder.lading('produce', 'in', '--carry', 'reference', '--root', 'in')).code).toBe(0)
    await rename(folder.at('in/a.csv'), folder.at('a.csv'))
    const consume = await folder.lading('consume', '--until-empty', '--root', 'in')
    expect(consume.code, consume.err).toBe(3)
    expect(consume.err).toContain('REFERENCE_UNREADABLE: "a.csv" cannot be read: ENOENT')
    expect(await folder.lading('dead', 'replay', '--root', 'in')).toMatchObject({
      code: 3,
      out: expect.stringContaining('still dead'),
    })
    expect(await folder.lading('dead', 'replay')).toMatchObject({
      code: 0,
      out: '1: loaded 5, rejected 0, skipped 0\n',
    })
    expect((await folder.lading('verify')).code).toBe(0)
  })

  it('refuses a file outside the root, a root that is not there, and anything else to carry', async () => {
    await using folder = await Folder.make({ 'in/a.csv': records(1), 'b.csv': records(1) })
    const produce = (...more: string[]) => folder.lading('produce', 'in/a.csv', 'b.csv', ...more)
    expectError(
      await produce('--carry', 'reference', '--root', 'in'),
      'USAGE',
      64,
      /b\.csv lies outside/,
      /--root/,
    )
    expectError(
      await produce('--carry', 'reference', '--root', 'nowhere'),
      'CONFIG_INVALID',
      78,
      /--root nowhere/,
    )
    expectError(await produce('--carry', 'pigeons'), 'USAGE', 64, /bytes, reference/)
    expectError(
      await folder.lading('consume', '--until-empty', '--root', 'nowhere'),
      'CONFIG_INVALID',
      78,
      /--root nowhere/,
    )
    expect((await folder.lading('status', '--json')).out).toContain('"ready": 0')
  })

  it('is what verify --republish-missing publishes where it is told to', async () => {
    await using folder = await Folder.make({ 'in/a.csv': records(5) })
    await folder.lading('produce', 'in')
    const lost = ['--queue', 'embedded:other.db'] as const
    const verify = await folder.lading('verify', '--republish-missing', '--carry', 'reference', ...lost)
    expect(verify.err).toContain('published 1 chunk of load')
    await rename(folder.at('in'), folder.at('elsewhere'))
    const consume = await folder.lading('consume', '--until-empty', ...lost)
    expect(consume.err, consume.err).toContain('REFERENCE_UNREADABLE: "in/a.csv"')
  })
})
