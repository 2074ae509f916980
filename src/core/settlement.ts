/**
 * Settles messages within a transaction of the database that holds them: a queue makes it, and a sink that writes
 * to the same database runs it (`Queue.settling`, `Sink.settles`).
 */
export interface Settlement {
  /** Statements in the SQL of the database, to be run last. They fail only where the transaction has to fail. */
  readonly sql: string
  /** To be called once the transaction has committed: nothing else settles the messages then. */
  committed(): void
}
