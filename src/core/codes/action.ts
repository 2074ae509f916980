/** What the engine does when it meets a code. */
export const actions = {
  reject: 'keeps the record in the reject table and goes on',
  dead: 'keeps the message as a dead letter and goes on',
  split: 'tries the batch again one message at a time; a message that fails alone becomes a dead letter',
  retry: 'tries the same transaction again with growing pauses, without limit',
  reconnect: 'as retry, on a new connection',
  hold: 'as retry, and warns the operator, because only a person can free or repair something',
  halt: 'stops the command; messages stay in the queue',
} as const

export type Action = keyof typeof actions

/** What is known of a code. */
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
