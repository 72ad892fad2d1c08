// Who calls an emulated service, by the bearer token, and what they may do and did: the same for every protocol.

export interface Caller {
  /** By the names that Google's IAM has, such as `storage.objects.create`, on everything. */
  readonly permissions: readonly string[]
  /**
   * More of them on the resources whose name is or begins so, up to a slash: a bucket, a folder in it, a key ring, a key.
   * An asterisk stands for any characters but a slash.
   */
  readonly on?: Readonly<Record<string, readonly string[]>> | undefined
}

/** By token. Null: anybody may do everything, also without a token. */
export type Callers = Readonly<Record<string, Caller>> | null

/** How often each permission was needed for something, by the name of the caller. */
export type Uses = Readonly<
  Record<string, Readonly<Record<string, { readonly granted: number; readonly refused: number }>>>
>

export interface Identities {
  /** Null: nobody is known by this token, or it has expired. */
  identify(token: string | null): Identity | null
  /** The token counts as unknown from now on; the next one of the same caller does not. */
  expire(token: string): void
  readonly uses: Uses
}

export interface Identity {
  /** For messages: the key in `Callers`. */
  readonly name: string
  may(permission: string, resource: string): boolean
  /** The same, and it is noted in `uses`. */
  use(permission: string, resource: string): boolean
}

/**
 * A token stands for the caller of that name, and so does what an emulated metadata server makes of it where its tokens
 * rotate: the name, a full stop and a number.
 */
export function createIdentities(callers: Callers): Identities {
  const expired = new Set<string>()
  const uses: Record<string, Record<string, { granted: number; refused: number }>> = {}

  const identity = (name: string, may: Identity['may']): Identity => ({
    name,
    may,
    use(permission, resource) {
      const isGranted = may(permission, resource)
      const counts = uses[name]?.[permission] ?? { granted: 0, refused: 0 }
      counts[isGranted ? 'granted' : 'refused']++
      uses[name] = { ...uses[name], [permission]: counts }
      return isGranted
    },
  })
  const everybody = identity('anonymous caller', () => true)
  const known = new Map(Object.entries(callers ?? {}).map(([name, caller]) => [name, judge(caller)]))

  return {
    identify(token) {
      if (token !== null && expired.has(token)) return null
      if (callers === null) return everybody
      if (token === null) return null
      const name = known.has(token) ? token : token.replace(/\.\d+$/, '')
      const may = known.get(name)
      return may === undefined ? null : identity(name, may)
    },
    expire(token) {
      expired.add(token)
    },
    uses,
  }
}

function judge({ permissions, on = {} }: Caller): Identity['may'] {
  const within = Object.entries(on).map(([begin, more]) => ({ pattern: patternOf(begin), more }))
  return (permission, resource) =>
    permissions.includes(permission) ||
    within.some(({ pattern, more }) => more.includes(permission) && pattern.test(resource))
}

function patternOf(begin: string): RegExp {
  const literal = begin.replace(/[^\w*/-]/g, character => `\\${character}`)
  return new RegExp(`^${literal.replaceAll('*', '[^/]*')}(?:/|$)`)
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization ?? '')?.[1] ?? null
}
