// One-time codes of an authenticator app: TOTP with SHA-1, six digits, 30 seconds (RFC 6238, as apps support it).
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { HOTP, Secret, TOTP } from 'otpauth'
import { IdentityError } from './error.ts'

const algorithm = 'SHA1'
const digits = 6
const periodSeconds = 30
/** 160 bits, the length of the HMAC (RFC 4226 section 4, R6). */
const secretBytes = 20
/** Least bytes of a secret from elsewhere (RFC 4226 section 4, R6). */
const secretBytesLeast = 16

export interface NewTotp {
  /** base32 without padding: what is kept, sealed. */
  readonly secret: string
  /** `otpauth://totp/...`: what the person's app reads, as a QR code or by hand. Shown once. */
  readonly uri: string
}

/** A fresh secret. `issuer` and `account` are what the app shows beside the code. */
export function newTotp(
  names: { readonly issuer: string; readonly account: string },
  random: (byteLength: number) => Uint8Array = randomBytes,
): NewTotp {
  // A copy, since a small Buffer shares its memory with others.
  const secret = new Secret({ buffer: Uint8Array.from(random(secretBytes)).buffer })
  const totp = new TOTP({
    issuer: names.issuer,
    label: names.account,
    secret,
    algorithm,
    digits,
    period: periodSeconds,
  })
  return { secret: secret.base32, uri: totp.toString() }
}

export interface TotpCheck {
  /** base32. */
  readonly secret: string
  /** What the person typed. */
  readonly code: string
  readonly now: Date
  /** The last step accepted, which with all before it is spent; null before the first. */
  readonly lastStep: number | null
  /** How many steps the two clocks may differ, each way. Default 1 (RFC 6238 section 5.2). */
  readonly windowSteps?: number
}

/**
 * The time step (Unix seconds / 30) whose code this is, to be recorded as spent; null where the code is wrong or
 * its step is spent. Throws `IdentityError('bad_secret')`.
 */
export function verifyTotp({ secret, code, now, lastStep, windowSteps = 1 }: TotpCheck): number | null {
  const parsed = parseSecret(secret)
  const current = TOTP.counter({ period: periodSeconds, timestamp: now.getTime() })
  let accepted: number | null = null
  // All steps are tried whatever the first give, so that the time it takes does not tell which one matched.
  for (let step = Math.max(0, current - windowSteps); step <= current + windowSteps; step++) {
    const matches = sameText(HOTP.generate({ secret: parsed, algorithm, digits, counter: step }), code)
    if (matches && (lastStep === null || step > lastStep)) accepted = step
  }
  return accepted
}

/** The code of the moment, for somebody without an app. Throws `IdentityError('bad_secret')`. */
export function totpCode(secret: string, now: Date): string {
  const counter = TOTP.counter({ period: periodSeconds, timestamp: now.getTime() })
  return HOTP.generate({ secret: parseSecret(secret), algorithm, digits, counter })
}

function parseSecret(secret: string): Secret {
  let parsed: Secret
  try {
    parsed = Secret.fromBase32(secret)
  } catch (cause) {
    throw new IdentityError('bad_secret', 'The stored TOTP secret cannot be read', { cause })
  }
  if (parsed.bytes.length < secretBytesLeast) {
    throw new IdentityError('bad_secret', 'The stored TOTP secret is too short')
  }
  return parsed
}

function sameText(expected: string, given: string): boolean {
  const a = Buffer.from(expected)
  const b = Buffer.from(given)
  return a.length === b.length && timingSafeEqual(a, b)
}
