/** What the conformance suite opens our queues by: the registry. */
export const queueModule = new URL('../../src/queue/registry.ts', import.meta.url)
