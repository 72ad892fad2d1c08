// The secret of a recording: wrapped once, and every object of the recording gets a data key of its own out of it
// (rule 2 of the format). Whoever holds it seals and opens the recording's objects without a key service.
import { randomBytes } from 'node:crypto'
import type { Wrap } from '@auricle/contract'
import { parseIdentity, type RecordingIdentity } from './context.ts'
import { asMisuse } from './error.ts'
import { parseWrap } from './header.ts'
import { deriveDataKey, recordingAad } from './keys.ts'
import { recordingSecretBytes } from './limits.ts'
import type { CallOptions, KeyWrapper } from './port.ts'

/** Disposing wipes the secret; after that it seals and opens nothing. */
export class RecordingSecret implements Disposable {
  readonly identity: RecordingIdentity
  /** The same in the header of every object that is sealed under it. */
  readonly wrap: Wrap
  #secret: Uint8Array | null

  /** Takes the secret over and wipes it in the end. */
  constructor(identity: RecordingIdentity, wrap: Wrap, secret: Uint8Array) {
    this.identity = identity
    this.wrap = wrap
    this.#secret = secret
  }

  isOf({ tenant, recording }: RecordingIdentity): boolean {
    return tenant === this.identity.tenant && recording === this.identity.recording
  }

  /** Null once disposed. The caller wipes it. */
  deriveDataKey(objectSalt: Uint8Array, coreDigest: Uint8Array): Uint8Array | null {
    return this.#secret === null ? null : deriveDataKey(this.#secret, objectSalt, coreDigest)
  }

  /** The same secret, to be disposed apart from this one. Null once disposed. */
  copy(): RecordingSecret | null {
    if (this.#secret === null) return null
    return new RecordingSecret(this.identity, this.wrap, Uint8Array.from(this.#secret))
  }

  [Symbol.dispose](): void {
    this.#secret?.fill(0)
    this.#secret = null
  }
}

export interface RecordingSecretOptions extends RecordingIdentity, CallOptions {
  readonly wrapper: KeyWrapper
  /** Gives that many unpredictable bytes. Default: the system's generator. Anything else is for test vectors. */
  readonly random?: ((byteLength: number) => Uint8Array) | undefined
}

/**
 * Makes the secret of a new recording and has it wrapped: the one call of the key service that the recording costs.
 * Failures of the wrapper pass through. Throws `misuse` for identifiers out of their limits. Dispose the result.
 */
export async function startRecordingSecret(options: RecordingSecretOptions): Promise<RecordingSecret> {
  const { wrapper, random = randomBytes, signal } = options
  const { tenant, recording } = options
  const identity = asMisuse('The identity is out of its limits', () => parseIdentity({ tenant, recording }))
  signal?.throwIfAborted()
  const secret = random(recordingSecretBytes)
  try {
    const wrapped = await wrapper.wrap(secret, recordingAad(identity), { signal })
    return new RecordingSecret(identity, legalWrap(wrapped, 2), Uint8Array.from(secret))
  } finally {
    secret.fill(0)
  }
}

/** What a wrapper gave, under the rule it was asked by: rules are the format's, not the key service's. */
export function legalWrap(wrap: Wrap, aad: Wrap['aad']): Wrap {
  return asMisuse('The wrapper gave no legal wrap', () => parseWrap({ ...wrap, aad }))
}
