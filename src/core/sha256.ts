import { hash } from 'node:crypto'

/** Returns hexadecimal. */
export const sha256Of = (content: Uint8Array | string): string => hash('sha256', content, 'hex')
