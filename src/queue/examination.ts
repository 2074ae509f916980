/** What an adapter of a queue is asked by `lading doctor`. It answers with findings, and writes nothing that stays. */
import type { Abortable } from '../core/wait.ts'

export interface QueueQuestions extends Abortable {
  /** Whether a load would make the queue if there is none. */
  readonly create: boolean
}
