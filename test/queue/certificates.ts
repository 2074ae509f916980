/** Certificates for tests, each with its key as files of one folder. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificates extends Disposable {
  /** The path of `NAME.pem` or `NAME.key`. */
  at(file: string): string
  /** An authority, which has signed itself. */
  authority(name: string): void
  /** Signed by the authority; with days below 0 it has expired. */
  certificate(
    name: string,
    authority: string,
    options?: { readonly alternative?: string; readonly days?: number },
  ): void
}

export function certificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'lading-tls-'))
  // The broker has a user of its own, who reads them.
  chmodSync(folder, 0o755)
  const at = (file: string) => join(folder, file)
  const openssl = (...args: readonly string[]) =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  return {
    at,
    authority: (name) =>
      openssl(
        'req',
        '-x509',
        ...key,
        '-keyout',
        at(`${name}.key`),
        '-out',
        at(`${name}.pem`),
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
      ),
    certificate: (name, authority, { alternative = 'IP:127.0.0.1', days = 2 } = {}) => {
      openssl(
        'req',
        ...key,
        '-keyout',
        at(`${name}.key`),
        '-out',
        at(`${name}.csr`),
        '-subj',
        `/CN=${name}`,
        '-addext',
        `subjectAltName=${alternative}`,
      )
      const signed = [
        '-CA',
        at(`${authority}.pem`),
        '-CAkey',
        at(`${authority}.key`),
        '-CAcreateserial',
        '-copy_extensions',
        'copy',
      ]
      openssl(
        'x509',
        '-req',
        '-in',
        at(`${name}.csr`),
        ...signed,
        '-out',
        at(`${name}.pem`),
        '-days',
        String(days),
      )
      chmodSync(at(`${name}.key`), 0o644)
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}
