/** Bodies of answers, in memory or piece by piece. */
import { LadingError } from '../core/errors.ts'

/** A connection over which nothing comes for so long is lost. */
const silentForMs = 20_000

interface Destroyable {
  destroy(error?: Error): unknown
}

/**
 * The pieces of a body. While nobody waits for one, it may take any time: whoever reads may have to wait as well.
 * Throws what ends it, as where nothing comes any more.
 */
export async function* arriving(body: NodeJS.ReadableStream & Destroyable): AsyncGenerator<Buffer> {
  const silent = () => body.destroy(Object.assign(new Error('nothing came any more'), { code: 'ETIMEDOUT' }))
  let timer = setTimeout(silent, silentForMs)
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      clearTimeout(timer)
      yield piece
      timer = setTimeout(silent, silentForMs)
    }
  } finally {
    clearTimeout(timer)
  }
}

/** So many bytes, or fewer where the body breaks off or falls silent; throws `SOURCE_UNAVAILABLE` where it does before the first. */
export function collected(
  body: NodeJS.ReadableStream & Destroyable,
  bytes: number,
  url: string,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes)
  return new Promise((resolve, reject) => {
    let size = 0
    const broken = (why: string, cause?: unknown) => {
      clearTimeout(timer)
      body.destroy()
      if (size > 0 && size < bytes) return resolve(buffer.subarray(0, size))
      reject(
        new LadingError('SOURCE_UNAVAILABLE', `${url}: ${why} after ${size} of ${bytes} bytes`, { cause }),
      )
    }
    const timer = setTimeout(() => broken('nothing came any more'), silentForMs)
    body.on('data', (piece: Buffer) => {
      timer.refresh()
      if (size + piece.length > bytes) {
        size = 0
        return broken('more came than was announced')
      }
      size += piece.copy(buffer, size)
    })
    body.on('error', (error: Error) => broken(`the connection broke off (${error.message})`, error))
    body.on('close', () => broken('the connection broke off'))
    body.on('end', () => {
      if (size < bytes) return broken('the answer is too short')
      clearTimeout(timer)
      resolve(buffer)
    })
  })
}
