// Passwords as argon2id hashes (RFC 9106): made, checked, and checked in vain for people who do not exist.
import { hash, type ParsedHashOptions, parseOptions, verify } from '@node-rs/argon2'
import { IdentityError } from './error.ts'
import { type CallOptions, createGate, type GateOptions } from './gate.ts'
import { checkPassword, passwordLengths } from './password-rule.ts'

// `Algorithm.Argon2id` of the library, whose enum exists in types only.
const argon2id = 2
/** More than the least that OWASP's password storage cheat sheet asks for (19 MiB, 2 passes, 1 lane). */
const cost = { memoryCost: 32_768, timeCost: 3, parallelism: 1 } as const
const hashBytes = 32
const saltBytes = 16
/** KiB and passes of a stored hash beyond which checking it would be an attack on us. */
const costMost = { memoryCost: 262_144, timeCost: 16, parallelism: 16 } as const

export interface Passwords {
  /**
   * The PHC string of a new password. Throws `IdentityError`: `weak_password` (see `checkPassword`), `busy`.
   */
  hashPassword(password: string, login: string, options?: CallOptions): Promise<string>
  /**
   * Whether the password is the one that was hashed. With null, for a person who does not exist, it takes as long
   * and is false. Throws `IdentityError`: `bad_hash` for a stored hash that cannot be read, `busy`.
   */
  verifyPassword(phc: string | null, password: string, options?: CallOptions): Promise<boolean>
  /** Whether a hash should be made anew, with the password just verified, to reach today's cost. */
  needsRehash(phc: string): boolean
}

/** Two at a time: each holds 32 MiB and one of the four threads that file access and cryptography need too. */
const gateDefaults: GateOptions = { maxRunning: 2, maxWaiting: 64 }

export function createPasswords(limits: Partial<GateOptions> = {}): Passwords {
  const gate = createGate({ ...gateDefaults, ...limits })
  return {
    hashPassword: async (password, login, options) => {
      checkPassword(password, login)
      return gate(
        () => hash(prepared(password), { ...cost, algorithm: argon2id, outputLen: hashBytes }),
        options,
      )
    },
    verifyPassword: async (phc, password, options) => {
      if (phc !== null) parse(phc)
      const overlong = password.length > passwordLengths.most
      // The work is done for any password and person alike, so that its time tells nothing.
      const candidate = overlong ? password.slice(0, passwordLengths.most) : password
      return gate(async () => {
        const same = await verify(phc ?? nobodysHash, prepared(candidate))
        return same && phc !== null && !overlong
      }, options)
    },
    needsRehash: phc => {
      const { memoryCost, timeCost, parallelism, outputLen, saltLen } = parse(phc)
      return (
        memoryCost < cost.memoryCost ||
        timeCost < cost.timeCost ||
        parallelism !== cost.parallelism ||
        outputLen < hashBytes ||
        saltLen < saltBytes
      )
    },
  }
}

/** A well-formed hash at today's cost whose password nobody knows: not even that there is one. */
const nobodysHash = [
  '$argon2id$v=19',
  `m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}`,
  base64(saltBytes),
  base64(hashBytes),
].join('$')

function base64(zeroBytes: number): string {
  return Buffer.alloc(zeroBytes).toString('base64').replaceAll('=', '')
}

/** One spelling for what looks the same on different keyboards (NIST SP 800-63B section 5.1.1.2). */
const prepared = (password: string) => password.normalize('NFKC')

function parse(phc: string): ParsedHashOptions {
  let parsed: ParsedHashOptions
  try {
    parsed = parseOptions(phc)
  } catch (cause) {
    throw new IdentityError('bad_hash', 'The stored password hash cannot be read', { cause })
  }
  if (
    parsed.algorithm !== argon2id ||
    parsed.memoryCost > costMost.memoryCost ||
    parsed.timeCost > costMost.timeCost ||
    parsed.parallelism > costMost.parallelism
  ) {
    throw new IdentityError('bad_hash', 'The stored password hash is of a kind that is not used here')
  }
  return parsed
}
