/** What sockets say, whatever protocol is spoken on them. */

/** A certificate that is not trusted or a peer that does not speak TLS will be so tomorrow. */
export const isTlsFault = (error: Error): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|ERR_OSSL|^EPROTO$/.test(
    String((error as { readonly code?: unknown }).code),
  )
