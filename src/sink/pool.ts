/** Sessions that belong to the program: what a sink uses of the pool of a driver, of any copy of it. */
export interface SessionPool {
  /** A session for whoever asks, until he releases it. */
  connect(): Promise<{ release(destroy?: boolean): void }>
  /** What its sessions are made with. */
  readonly options: object
}
