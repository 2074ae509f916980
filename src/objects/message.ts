/** A message → the objects that it asks to load, and the letters of what cannot be asked. */
import { counted } from '../core/counted.ts'
import { LadingError } from '../core/errors.ts'
import { claimsChunk } from '../queue/envelope.ts'
import type { Delivery } from '../queue/queue.ts'
import type { DeadLetter } from '../sink/ledger.ts'
import type { SourceFile } from '../source/registry.ts'
import { letterOfMessage, letterOfObject } from './letter.ts'
import { type ToldObject, notificationIn } from './notification.ts'

/** An object that a message names, as a file. */
export interface Wanted {
  readonly file: SourceFile
  readonly object: ToldObject
}

export interface Message {
  readonly delivery: Delivery
  readonly wanted: readonly Wanted[]
  readonly letters: readonly DeadLetter[]
}

export interface ReadOptions {
  /** The object as a file to load; undefined where it lies at no place that this consumer reads. */
  readonly fileOf: (object: ToldObject) => SourceFile | undefined
  /** Of the dead letters. */
  readonly pipeline: string
  readonly maxAttempts: number
  /** Hears of events that bring nothing to load. */
  readonly onOther: (event: string) => void
}

/** Throws `USAGE` for a chunk, which another consumer can load: the queue is the wrong one. */
export function readMessage(
  delivery: Delivery,
  { fileOf, pipeline, maxAttempts, onOther }: ReadOptions,
): Message {
  const { headers, fault, attempt, body } = delivery
  const dead = (letter: DeadLetter): Message => ({ delivery, wanted: [], letters: [letter] })
  if (claimsChunk(headers))
    throw new LadingError(
      'USAGE',
      'the queue holds what lading produce has published: consume that without --s3-events',
    )
  if (attempt > maxAttempts) {
    const detail = `delivered ${counted(attempt, 'time')} without being settled`
    return dead(letterOfMessage(pipeline, delivery, { code: 'ATTEMPTS_EXHAUSTED', detail }))
  }
  if (fault !== undefined) return dead(letterOfMessage(pipeline, delivery, fault))
  const found = notificationIn(body)
  if (typeof found === 'string')
    return dead(letterOfMessage(pipeline, delivery, { code: 'NOT_NOTIFIED', detail: found }))
  found.others.forEach(onOther)
  const wanted: Wanted[] = []
  const letters: DeadLetter[] = []
  for (const object of found.objects) {
    const file = fileOf(object)
    // What stands for a folder in a console has no record.
    if (object.key.endsWith('/')) onOther('a folder')
    else if (file === undefined) letters.push(letterOfOther(pipeline, delivery, object))
    else wanted.push({ file, object })
  }
  return { delivery, wanted, letters }
}

function letterOfOther(pipeline: string, delivery: Delivery, object: ToldObject): DeadLetter {
  const path = `s3://${object.bucket}/${object.key}`
  const detail = `${path} lies at no place that --s3-events names`
  return letterOfObject(pipeline, delivery, { path, object }, { code: 'REFERENCE_REFUSED', detail })
}
