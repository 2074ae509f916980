/** The body of an answer, whole in memory. */
import { LadingError } from '../core/errors.ts'

/** A connection over which nothing comes for so long is lost. */
const silentForMs = 20_000

/** Throws `SOURCE_UNAVAILABLE` where the body breaks off or falls silent. */
export function collected(
  body: NodeJS.ReadableStream & { destroy(error?: Error): unknown },
  bytes: number,
  url: string,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes)
  return new Promise((resolve, reject) => {
    let size = 0
    const broken = (why: string, cause?: unknown) => {
      clearTimeout(timer)
      body.destroy()
      reject(
        new LadingError('SOURCE_UNAVAILABLE', `${url}: ${why} after ${size} of ${bytes} bytes`, { cause }),
      )
    }
    const timer = setTimeout(() => broken('nothing came any more'), silentForMs)
    body.on('data', (piece: Buffer) => {
      timer.refresh()
      if (size + piece.length > bytes) return broken('more came than was announced')
      size += piece.copy(buffer, size)
    })
    body.on('error', (error: Error) => broken(`the connection broke off (${error.message})`, error))
    body.on('close', () => broken('the connection broke off'))
    body.on('end', () => {
      if (size < bytes) return broken('the connection broke off')
      clearTimeout(timer)
      resolve(buffer)
    })
  })
}
