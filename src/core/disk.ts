/** What is known of the disk under a path. */
import { statfsSync } from 'node:fs'

/** Numbers of statfs(2) of file systems whose locks and shared memory other machines do not see. */
const networks: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB',
  0x01021997: '9P',
  0x00c36400: 'Ceph',
  0x47504653: 'GPFS',
  0x0bd00bd0: 'Lustre',
  0x5346414f: 'AFS',
  0x73757245: 'Coda',
}
/** It may be anything, a network among it. */
const fuse = 0x65735546

export interface Disk {
  /** Bytes that a user may still write; undefined where the file system does not say. */
  readonly free: number | undefined
  /** The name of a network file system. */
  readonly network: string | undefined
  readonly isFuse: boolean
}

export function diskOf(folder: string): Disk {
  const { type, bsize, bavail, blocks } = statfsSync(folder)
  return {
    free: blocks === 0 ? undefined : bavail * bsize,
    network: networks[type],
    isFuse: type === fuse,
  }
}

const mib = 1024 ** 2
const gib = 1024 ** 3

/** `1.5 GiB`. */
export const sizeText = (bytes: number): string =>
  bytes >= gib
    ? `${(bytes / gib).toFixed(1)} GiB`
    : bytes >= mib
      ? `${(bytes / mib).toFixed(1)} MiB`
      : `${Math.round(bytes / 1024)} KiB`
