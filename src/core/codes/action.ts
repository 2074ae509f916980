/**
 * What the engine does when it meets a code:
 * - `reject`: keeps the record in the reject table and goes on;
 * - `dead`: keeps the message as a dead letter and goes on;
 * - `split`: tries the batch again one delivery at a time; a delivery that fails alone becomes a dead letter;
 * - `retry`: tries the same transaction again after a back-off, without limit;
 * - `reconnect`: as `retry`, on a new connection;
 * - `hold`: as `retry`, and warns the operator, because only a person can free or repair something;
 * - `halt`: stops the command; messages stay in the queue.
 */
export type Action = 'reject' | 'dead' | 'split' | 'retry' | 'reconnect' | 'hold' | 'halt'

export interface CodeInfo {
  readonly action: Action
  /** Exit code of a command that ends on this code (sysexits.h where one fits). */
  readonly exit: number
  readonly meaning: string
  /** What the reader of the message can do. */
  readonly advice: string
}

export const code = (action: Action, exit: number, meaning: string, advice: string): CodeInfo => ({
  action,
  exit,
  meaning,
  advice,
})
