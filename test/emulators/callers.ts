// Who calls an emulated service, by the bearer token, and what they may do: the same for every protocol.

export interface Caller {
  /** By the names that Google's IAM has, such as `storage.objects.create`, on everything. */
  readonly permissions: readonly string[]
  /** More of them on the resources whose name begins so: a bucket's name, the name of a key or a key ring. */
  readonly on?: Readonly<Record<string, readonly string[]>> | undefined
}

/** By token. Null: anybody may do everything, also without a token. */
export type Callers = Readonly<Record<string, Caller>> | null

export interface Identities {
  /** Null: nobody is known by this token, or it has expired. */
  identify(token: string | null): Identity | null
  /** The token counts as unknown from now on; the next one of the same caller does not. */
  expire(token: string): void
}

export interface Identity {
  /** For messages: the key in `Callers`. */
  readonly name: string
  may(permission: string, resource: string): boolean
}

const everybody: Identity = { name: 'anonymous caller', may: () => true }

/**
 * A token stands for the caller of that name, and so does what an emulated metadata server makes of it where its tokens
 * rotate: the name, a full stop and a number.
 */
export function createIdentities(callers: Callers): Identities {
  const expired = new Set<string>()
  return {
    identify(token) {
      if (token !== null && expired.has(token)) return null
      if (callers === null) return everybody
      if (token === null) return null
      const name = Object.hasOwn(callers, token) ? token : token.replace(/\.\d+$/, '')
      const caller = Object.hasOwn(callers, name) ? callers[name] : undefined
      if (caller === undefined) return null
      const { permissions, on = {} } = caller
      return {
        name,
        may: (permission, resource) =>
          permissions.includes(permission) ||
          Object.entries(on).some(
            ([begin, more]) =>
              (resource === begin || resource.startsWith(`${begin}/`)) && more.includes(permission),
          ),
      }
    },
    expire(token) {
      expired.add(token)
    },
  }
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization ?? '')?.[1] ?? null
}
