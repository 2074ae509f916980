/** What files and messages hold does not steer the terminal of who looks at them. */
import { expect, it } from 'vitest'
import { openQueue } from '../../src/index.ts'
import { Folder } from './run.ts'

/** Sets the title, clears the screen, moves the cursor, turns the order of letters round, and does the same in one byte. */
const escape = '\u001b]0;owned\u0007\u001b[2J\u0008\u202e\u009b1A'
// oxlint-disable-next-line no-control-regex
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/

it('no name of a file or a column, no cell, key, header or body of a message, and no message of an error', async () => {
  const name = `in/a${escape.replaceAll('/', '')}.csv`
  await using folder = await Folder.make({
    [name]: `id,n${escape}\n1,2\n3,x${escape}\n4,5\n6,7\n`,
  })
  const queue = `embedded:${folder.at('external.db')}`
  {
    await using opened = await openQueue(queue)
    await opened.publish([
      { key: `k${escape}`, body: Buffer.from(`{"id":${escape}`), headers: { [`h${escape}`]: `v${escape}` } },
      { key: `l${escape}`, body: Buffer.from(JSON.stringify({ [`f${escape}`]: escape })), headers: {} },
    ])
  }
  const seen: string[] = []
  const look = async (...args: readonly string[]) => {
    const { code, out, err } = await folder.lading(...args)
    expect(out, args.join(' ')).not.toMatch(steering)
    expect(err, args.join(' ')).not.toMatch(steering)
    seen.push(`${code} ${out}${err}`)
  }
  const types = ['--columns', `n${escape}:integer`, '--table', `t${escape}`]
  await look('load', name, ...types)
  expect(seen[0]).toMatch(/^3 /)
  await look('consume', '--queue', queue, '--until-empty', '--log-format', 'json', '--log-level', 'debug')
  await Promise.all([
    look('inspect', name),
    look('inspect', name, '--json'),
    look('doctor', name),
    look('load', `${name}${escape}`, '--log-format', 'json'),
    look('peek', '--queue', queue),
    look('status'),
    look('verify', '--json'),
    look('rejects', 'list'),
    look('rejects', 'show', '1'),
    look('dead', 'list', '--json'),
    look('dead', 'list'),
    look('dead', 'show', '1'),
    look('dead', 'replay'),
    look(`--${escape}`),
  ])
  const told = seen.join('\n')
  expect(told).toContain('\\u001b]0;owned')
  for (const what of ['k', 'h', 'f', 'n', 'a']) expect(told).toMatch(new RegExp(String.raw`${what}\\+u001b`))
})
