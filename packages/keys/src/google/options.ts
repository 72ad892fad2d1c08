// What a key service on Cloud KMS is told, with the defaults and the limits of it.
import type { KeyManagementServiceClient } from '@google-cloud/kms'

type ClientOptions = NonNullable<ConstructorParameters<typeof KeyManagementServiceClient>[0]>

export interface GoogleKeyServiceOptions {
  /** `projects/P/locations/L/keyRings/R`. The ring has to be there; its keys are made by `ensure`. */
  readonly keyRing: string
  /** How keys are held. Decided for each key when it is made, and demanded of every answer after. */
  readonly protection: 'SOFTWARE' | 'HSM'
  /** How often KMS makes a new version of a wrapping key by itself, from 1 day. Others are rotated by hand. */
  readonly rotationDays: number
  /** How long a version that somebody destroys can still be restored, 1 to 120 days. Cannot be changed later. */
  readonly destroyDays: number
  /** Default and null: the public address. */
  readonly endpoint?: { readonly host: string; readonly port: number } | null | undefined
  /** Who calls. Default: the Application Default Credentials. */
  readonly authClient?: ClientOptions['authClient'] | undefined
  /** One attempt of a call. Default: 2000. */
  readonly attemptTimeoutMs?: number | undefined
  /** A call with all its attempts and the pauses between them. Default: 8000. */
  readonly callTimeoutMs?: number | undefined
  /** Attempts of a call, the first included. Default: 5. */
  readonly attemptsMost?: number | undefined
  /** How long `ensure` and `rotate` wait until a new version can be used; HSM keys take a while. Default: 60,000. */
  readonly readyTimeoutMs?: number | undefined
  /** How long a rotation of an HMAC or signing key by others may go unnoticed. Default: 60,000. */
  readonly versionKeptMs?: number | undefined
  /** Unix milliseconds. Default: the system's clock. */
  readonly now?: (() => number) | undefined
  /** At least 0, below 1: spreads the pauses between attempts. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** What holds where the options say nothing. */
export const googleKeyDefaults = { attemptTimeoutMs: 2000, callTimeoutMs: 8000, attemptsMost: 5 } as const

type Given = {
  readonly [Name in keyof GoogleKeyServiceOptions]-?: Exclude<GoogleKeyServiceOptions[Name], undefined>
}

/** The options with their defaults in place. */
export interface Settings extends Omit<Given, 'authClient'> {
  /** Null: the Application Default Credentials. */
  readonly authClient: NonNullable<ClientOptions['authClient']> | null
}

const keyRingPattern = /^projects\/[a-z0-9:.-]+\/locations\/[a-z0-9-]+\/keyRings\/[a-zA-Z0-9_-]{1,63}$/
const destroyDaysMost = 120

/** Throws a RangeError that says which option is wrong. */
export function settingsOf(options: GoogleKeyServiceOptions): Settings {
  const { keyRing, rotationDays, destroyDays } = options
  if (!keyRingPattern.test(keyRing)) {
    throw new RangeError('A key ring is projects/PROJECT/locations/LOCATION/keyRings/RING')
  }
  if (!Number.isInteger(rotationDays) || rotationDays < 1) {
    throw new RangeError('rotationDays is a whole number from 1')
  }
  if (!Number.isInteger(destroyDays) || destroyDays < 1 || destroyDays > destroyDaysMost) {
    throw new RangeError(`destroyDays is a whole number from 1 to ${destroyDaysMost}`)
  }
  return {
    keyRing,
    protection: options.protection,
    rotationDays,
    destroyDays,
    endpoint: options.endpoint ?? null,
    authClient: options.authClient ?? null,
    attemptTimeoutMs: options.attemptTimeoutMs ?? googleKeyDefaults.attemptTimeoutMs,
    callTimeoutMs: options.callTimeoutMs ?? googleKeyDefaults.callTimeoutMs,
    attemptsMost: options.attemptsMost ?? googleKeyDefaults.attemptsMost,
    readyTimeoutMs: options.readyTimeoutMs ?? 60_000,
    versionKeptMs: options.versionKeptMs ?? 60_000,
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
  }
}
