// How to reach a Redis, or a cluster of them: what configuration says, parsed.

export interface RedisSettings {
  /** One server; of a cluster as many as are known, of which one must answer. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  readonly cluster: boolean
  /** Null means the user `default`. */
  readonly username: string | null
  readonly password: string | null
  /** 0 in a cluster, which has no other. */
  readonly database: number
  /** `ca` is PEM text; null means the certificates that this machine trusts. */
  readonly tls: { readonly ca: string | null } | null
}
