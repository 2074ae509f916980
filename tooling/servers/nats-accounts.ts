/** What `nsc` makes: an operator, an account and a user, each a token that the one before has signed. */
import { nkeys } from '@nats-io/transport-node'

type Pair = ReturnType<typeof nkeys.createUser>

export interface Accounts {
  /** Lines of a server's configuration. */
  readonly settings: string
  /** The contents of a file of credentials. */
  readonly credentials: string
}

export function createAccounts(): Accounts {
  const [operator, system, account, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ]
  const none = {
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
    conn: -1,
    leaf: -1,
  }
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }
  const operatorToken = token(operator, operator, { type: 'operator', system_account: system.getPublicKey() })
  const systemToken = token(operator, system, { type: 'account', limits: none })
  const accountToken = token(operator, account, { type: 'account', limits: { ...none, ...storage } })
  const userToken = token(account, user, { type: 'user', subs: -1, data: -1, payload: -1, pub: {}, sub: {} })
  return {
    settings: `operator: ${operatorToken}
      system_account: ${system.getPublicKey()}
      resolver: MEMORY
      resolver_preload: { ${system.getPublicKey()}: ${systemToken}, ${account.getPublicKey()}: ${accountToken} }`,
    credentials: `-----BEGIN NATS USER JWT-----
${userToken}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${Buffer.from(user.getSeed()).toString()}
------END USER NKEY SEED------
`,
  }
}

function token(signer: Pair, subject: Pair, nats: Readonly<Record<string, unknown>>): string {
  const [iss, sub] = [signer.getPublicKey(), subject.getPublicKey()]
  const claims = {
    jti: sub,
    iat: Math.floor(Date.now() / 1000),
    iss,
    name: sub,
    sub,
    nats: { ...nats, version: 2 },
  }
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encoded({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encoded(claims)}`
  return `${signed}.${Buffer.from(signer.sign(Buffer.from(signed))).toString('base64url')}`
}
