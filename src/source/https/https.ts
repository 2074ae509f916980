/** Files of servers of HTTP. There are no folders and no patterns: no server says what it has. */
import { LadingError } from '../../core/errors.ts'
import type { Found } from '../found.ts'
import { patiently } from '../remote-file.ts'
import { RemoteSource } from '../remote.ts'
import type { Store } from '../store.ts'
import { nameOf, parseAddress, urlIn } from './address.ts'
import { HttpFile } from './file.ts'

export const https: Store = {
  schemes: ['https', 'http'],
  source: (url, name) => new RemoteSource(new HttpFile(url), name),
  files: filesAt,
  file: (url) => new HttpFile(url),
  fileBelow: (root, path) => new HttpFile(urlIn(root, path)),
}

/** Asked for at once, so that a URL that leads nowhere is told before a database is opened. */
async function* filesAt(url: string): AsyncGenerator<readonly Found[]> {
  const address = parseAddress(url)
  if (address.url.pathname.includes('*'))
    throw new LadingError(
      'USAGE',
      `${address.shown} is a pattern, and no server of HTTP says which files it has`,
    )
  const file = new HttpFile(url)
  await patiently(() => file.facts())
  yield [{ name: nameOf(address), pathOf: () => url }]
}
