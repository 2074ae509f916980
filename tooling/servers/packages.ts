/** Programs of a package of the system, without the service that the package would start. */
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { guard } from './engine.ts'
import { installPackage, requireApt } from './machine.ts'

/** Installs Debian's package as root. */
export async function installPrograms(name: string): Promise<void> {
  requireApt()
  const policy = '/usr/sbin/policy-rc.d'
  const aside = `${policy}.before-lading`
  // A guard puts the machine's own policy back, even when this process is killed while it installs.
  const keeper = guard('PATH=/usr/bin:/bin; rm -f "$1"; if [ -e "$2" ]; then mv "$2" "$1"; fi', [
    policy,
    aside,
  ])
  try {
    if (existsSync(policy) && !existsSync(aside)) renameSync(policy, aside)
    writeFileSync(
      policy,
      '#!/bin/sh\n# The tests of lading want the programs alone: 101 forbids to start the service.\nexit 101\n',
      {
        mode: 0o755,
      },
    )
    installPackage(name)
  } finally {
    await keeper.close()
  }
}
