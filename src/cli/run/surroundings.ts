/** What those around a process see of it, and what they make it do. */
import { say } from '../terminal/log.ts'
import { withoutSecrets } from '../terminal/output.ts'

/** The list of processes shows the command line to every user of the machine. */
export function hideSecrets(argv: readonly string[]): void {
  const words = argv.slice(2)
  const shown = words.map(withoutSecrets)
  if (shown.some((word, index) => word !== words[index])) process.title = ['lading', ...shown].join(' ')
}

const unchecked = 'NODE_TLS_REJECT_UNAUTHORIZED'

/** A variable that was set for another program must not turn off certificate checks here. */
export function checkCertificates(env: Record<string, string | undefined>): void {
  if (env[unchecked] !== '0') return
  delete env[unchecked]
  say(
    'warn',
    'certificates',
    { variable: unchecked },
    `${unchecked}=0 is ignored, certificates are checked: NODE_EXTRA_CA_CERTS, or a parameter of the URL, names an authority to trust`,
  )
}
