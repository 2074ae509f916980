/** Objects of S3 and of stores that speak its protocol. */
import { matchesGlob, posix } from 'node:path'
import { LadingError } from '../../core/errors.ts'
import { type Found, hidden, type Looked, toldAs, wildcard } from '../found.ts'
import { patiently } from '../remote-file.ts'
import { RemoteSource } from '../remote.ts'
import type { Store } from '../store.ts'
import { type Address, addressIn, addressOf, parseAddress } from './address.ts'
import { listed } from './list.ts'
import { factsIn, S3Object } from './object.ts'

export const s3: Store = {
  schemes: ['s3'],
  source: (url, name, seen, held) => {
    const known = seen === undefined ? undefined : { facts: factsIn(seen), held }
    return new RemoteSource(new S3Object(parseAddress(url)), name, known)
  },
  files: filesAt,
  file: (url) => new S3Object(parseAddress(url)),
  fileBelow: (root, path) => new S3Object(addressIn(parseAddress(root), path)),
}

async function* filesAt(url: string, looked: Looked): AsyncGenerator<readonly Found[]> {
  const address = parseAddress(url)
  const { key } = address
  const isPattern = wildcard.test(key)
  if (key !== '' && !key.endsWith('/')) {
    const one = await objectAt(address, isPattern)
    if (one !== undefined) return yield [one]
  }
  if (isPattern) yield* matching(address)
  else yield* below(address, looked)
}

/** Undefined where there is no such object, and so perhaps a folder. */
async function objectAt(address: Address, isPattern: boolean): Promise<Found | undefined> {
  try {
    const { state } = await patiently(() => new S3Object(address).facts())
    return { name: posix.basename(address.key), pathOf: () => addressOf(address), seen: state }
  } catch (error) {
    const { code } = error as LadingError
    const isNone = code === 'SOURCE_MISSING' || (isPattern && code === 'SOURCE_UNREADABLE')
    if (isNone && address.versionId === undefined) return undefined
    throw error
  }
}

async function* matching(address: Address): AsyncGenerator<readonly Found[]> {
  const { key: pattern } = address
  const prefix = pattern.slice(0, pattern.search(wildcard))
  const base = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const pathOf = pathIn(address, base)
  let matches = 0
  for await (const objects of listed(address, prefix)) {
    const found = objects.filter(({ key }) => !key.endsWith('/') && matchesGlob(key, pattern))
    matches += found.length
    yield found.map(({ key, state }) => ({ name: key.slice(base.length), pathOf, seen: state }))
  }
  if (matches === 0) throw new LadingError('SOURCE_MISSING', `no object matches ${addressOf(address)}`)
}

async function* below(address: Address, looked: Looked): AsyncGenerator<readonly Found[]> {
  const { key } = address
  const base = key === '' || key.endsWith('/') ? key : `${key}/`
  const pathOf = pathIn(address, base)
  let objects = 0
  for await (const page of listed(address, base)) {
    objects += page.length
    yield page.flatMap(({ key: each, state }): Found[] => {
      const name = each.slice(base.length)
      const isHidden = hidden(name.split('/'))
      if (looked.wanted.test(name))
        return [{ name, pathOf, seen: state, ...(isHidden && { left: 'hidden' as const }) }]
      const left = isHidden ? undefined : toldAs(name, looked)
      return left === undefined ? [] : [{ name, pathOf, left }]
    })
  }
  if (objects === 0 && key !== '')
    throw new LadingError('SOURCE_MISSING', `there is no object or folder ${addressOf(address)}`)
}

const pathIn =
  (address: Address, base: string) =>
  (name: string): string =>
    addressOf({ ...address, key: base + name })
