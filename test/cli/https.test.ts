import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { HttpFiles } from '../../tooling/servers/http-files.ts'
import { certificates } from '../queue/certificates.ts'
import { expectError, Folder, records } from './run.ts'

it('a certificate is taken of an authority of NODE_EXTRA_CA_CERTS, and of any other refused in one sentence, whatever the environment says of checks', async () => {
  using made = certificates()
  made.authority('own')
  made.certificate('server', 'own')
  const [cert, key] = await Promise.all([
    readFile(made.at('server.pem'), 'utf8'),
    readFile(made.at('server.key'), 'utf8'),
  ])
  await using files = await HttpFiles.start({ cert, key })
  files.put('/a.csv', records(20))
  await using folder = await Folder.make()
  const refused = await folder.run(['load', files.url('/a.csv')])
  expectError(
    refused,
    'SOURCE_REFUSED',
    77,
    /the certificate of the server is not trusted \(\w+\); NODE_EXTRA_CA_CERTS names/,
  )
  expect(files.calls).toEqual([])
  const unchecked = await folder.run(['load', files.url('/a.csv')], {
    env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
  })
  expect(unchecked.code).toBe(77)
  expect(unchecked.err).toMatch(/^NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored/m)
  expect(files.calls).toEqual([])
  const env = { NODE_EXTRA_CA_CERTS: made.at('own.pem') }
  const taken = await folder.run(['load', files.url('/a.csv')], { env })
  expect(taken.code, taken.err).toBe(0)
  expect(folder.rows()).toBe(20)
})
