// Passkeys (WebAuthn level 3): what the browser is asked, and whether what it answers holds.
//
// Both ways the authenticator must have verified its user, by a finger, a face or a PIN: a passkey is two factors in
// one. Which authenticator it is does not matter to us, so no attestation is asked for, and none with certificates is
// read: their addresses of revocation lists would make us fetch what a stranger names.
import { randomBytes } from 'node:crypto'
import type { UserId } from '@auricle/contract'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { decodeAttestationObject } from '@simplewebauthn/server/helpers'
import { IdentityError } from './error.ts'
import { checkPasskeyKey, passkeyAlgorithms } from './passkey-key.ts'
import { checkSameOrigin, knownTransports, parseAssertion, parseRegistration } from './passkey-response.ts'

const challengeBytes = 32
/** What the browser is given: long enough to look for a security key, and for somebody with a screen reader. */
const timeoutMs = 300_000

/** What is kept of a passkey. Nothing of it is secret. */
export interface Passkey {
  /** base64url. */
  readonly credentialId: string
  /** A COSE key (RFC 9052). */
  readonly publicKey: Uint8Array
  /** How often the authenticator has signed by its own count; 0 where it does not count. */
  readonly signCount: number
  /** How the authenticator can be reached, by the words of WebAuthn. */
  readonly transports: readonly string[]
  /** Whether it can be on several machines: `multiDevice` where it is synchronised. */
  readonly deviceType: 'singleDevice' | 'multiDevice'
  readonly backedUp: boolean
  /** The model of the authenticator as it says itself; zeros where it does not. */
  readonly aaguid: string
}

/** What is sent to the browser, and what has to be kept until it answers. */
export interface PasskeyRequest<Options> {
  readonly options: Options
  /** base64url of 32 random bytes. To be taken once, and not after `expiresAt`. */
  readonly challenge: string
  readonly expiresAt: Date
}

export interface PasskeyUser {
  /** Kept by the authenticator and given back at sign-in. */
  readonly id: UserId
  /** `login` and `name` are what the browser shows in its list. */
  readonly login: string
  readonly name: string
}

export interface PasskeyAssertion {
  readonly response: unknown
  readonly challenge: string
  readonly passkey: Pick<Passkey, 'credentialId' | 'publicKey' | 'signCount' | 'deviceType'>
  /** Whose passkey it is. An answer that names somebody else is refused. */
  readonly userId?: UserId
}

export interface Passkeys {
  registrationOptions(wanted: {
    readonly user: PasskeyUser
    /** The credential ids that this user has already, which no authenticator should make a second time. */
    readonly existing: readonly string[]
  }): Promise<PasskeyRequest<PublicKeyCredentialCreationOptionsJSON>>
  /** The new passkey. Throws `IdentityError('malformed')`. */
  verifyRegistration(answer: { readonly response: unknown; readonly challenge: string }): Promise<Passkey>
  /** Without `allow`, the browser offers every passkey it has for us, and `userHandleOf` tells whose was taken. */
  assertionOptions(wanted?: {
    readonly allow?: readonly string[]
  }): Promise<PasskeyRequest<PublicKeyCredentialRequestOptionsJSON>>
  /**
   * What has to be kept of the passkey from now on. Throws `IdentityError`: `bad_credentials`, `malformed`, and
   * `bad_key` for a stored key that cannot be read. Two assertions at once are both accepted here; the store has to
   * accept only a sign count above its own, unless both are 0.
   */
  verifyAssertion(answer: PasskeyAssertion): Promise<Pick<Passkey, 'signCount' | 'backedUp'>>
}

export interface PasskeyParties {
  /** The domain that passkeys are for, `vault.example.org`: that of every origin, or one above it. */
  readonly rpId: string
  /** What the browser shows. */
  readonly rpName: string
  /** Where the console is served, to the letter: `https://vault.example.org`. */
  readonly origins: readonly string[]
  readonly now?: () => Date
  readonly random?: (byteLength: number) => Uint8Array
}

export function createPasskeys(parties: PasskeyParties): Passkeys {
  const { rpId, rpName, now = () => new Date(), random = randomBytes } = parties
  const expected = { expectedOrigin: [...parties.origins], expectedRPID: rpId, requireUserVerification: true }
  const request = <Options extends { readonly challenge: string }>(options: Options) => ({
    options,
    challenge: options.challenge,
    expiresAt: new Date(now().getTime() + timeoutMs),
  })
  return {
    registrationOptions: async ({ user, existing }) =>
      request(
        await generateRegistrationOptions({
          rpID: rpId,
          rpName,
          userID: Uint8Array.from(Buffer.from(user.id)),
          userName: user.login,
          userDisplayName: user.name,
          challenge: Uint8Array.from(random(challengeBytes)),
          timeout: timeoutMs,
          attestationType: 'none',
          excludeCredentials: existing.map(id => ({ id })),
          authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
          supportedAlgorithmIDs: [...passkeyAlgorithms],
        }),
      ),
    verifyRegistration: async ({ response, challenge }) => {
      const credential = parseRegistration(response)
      checkSameOrigin(credential.response.clientDataJSON)
      try {
        return await registered(credential, { ...expected, expectedChallenge: challenge })
      } catch (cause) {
        // Nothing is read or asked on the way, so whatever fails, fails by what was sent.
        throw new IdentityError('malformed', 'The new passkey does not hold', { cause })
      }
    },
    assertionOptions: async ({ allow } = {}) =>
      request(
        await generateAuthenticationOptions({
          rpID: rpId,
          challenge: Uint8Array.from(random(challengeBytes)),
          timeout: timeoutMs,
          userVerification: 'required',
          ...(allow === undefined ? {} : { allowCredentials: allow.map(id => ({ id })) }),
        }),
      ),
    verifyAssertion: async ({ response, challenge, passkey, userId }) => {
      const credential = parseAssertion(response)
      checkSameOrigin(credential.response.clientDataJSON)
      checkStoredKey(passkey.publicKey)
      try {
        return await asserted(credential, passkey, userId ?? null, {
          ...expected,
          expectedChallenge: challenge,
        })
      } catch (cause) {
        throw new IdentityError('bad_credentials', 'The passkey was not accepted', { cause })
      }
    },
  }
}

interface Expected {
  readonly expectedOrigin: string[]
  readonly expectedRPID: string
  readonly expectedChallenge: string
  readonly requireUserVerification: boolean
}

async function registered(
  credential: ReturnType<typeof parseRegistration>,
  expected: Expected,
): Promise<Passkey> {
  checkAttestation(credential.response.attestationObject)
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    ...expected,
    response: {
      id: credential.id,
      rawId: credential.rawId,
      type: credential.type,
      clientExtensionResults: {},
      response: {
        clientDataJSON: credential.response.clientDataJSON,
        attestationObject: credential.response.attestationObject,
      },
    },
    supportedAlgorithmIDs: [...passkeyAlgorithms],
  })
  if (!verified) throw new Error('The attestation is not by the new key')
  const { id, publicKey, counter } = registrationInfo.credential
  // The library believes the authenticator's id and does not compare it with the browser's.
  if (id !== credential.id) throw new Error('The credential has two ids')
  checkPasskeyKey(publicKey)
  return {
    credentialId: id,
    publicKey: Uint8Array.from(publicKey),
    signCount: counter,
    transports: knownTransports(credential.response.transports),
    deviceType: registrationInfo.credentialDeviceType,
    backedUp: registrationInfo.credentialBackedUp,
    aaguid: registrationInfo.aaguid,
  }
}

/** None, or one that the new key signed itself, which browsers pass on unasked (section 5.1.3). */
function checkAttestation(attestationObject: string): void {
  const decoded = decodeAttestationObject(Uint8Array.from(Buffer.from(attestationObject, 'base64url')))
  const format = decoded.get('fmt')
  const signsItself = format === 'packed' && decoded.get('attStmt').get('x5c') === undefined
  if (format !== 'none' && !signsItself) throw new Error('An attestation that was not asked for')
}

async function asserted(
  credential: ReturnType<typeof parseAssertion>,
  passkey: PasskeyAssertion['passkey'],
  userId: UserId | null,
  expected: Expected,
): Promise<Pick<Passkey, 'signCount' | 'backedUp'>> {
  // The library looks at neither: it verifies whatever key it is given.
  if (credential.id !== passkey.credentialId) throw new Error('It is another passkey')
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response
  const handle = userHandle ?? null
  if (userId !== null && handle !== null && handle !== Buffer.from(userId).toString('base64url')) {
    throw new Error('It is the passkey of somebody else')
  }
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    ...expected,
    response: {
      id: credential.id,
      rawId: credential.rawId,
      type: credential.type,
      clientExtensionResults: {},
      response: { clientDataJSON, authenticatorData, signature },
    },
    // The count is looked at below, once the signature holds: only then does it say anything of the passkey.
    credential: { id: passkey.credentialId, publicKey: Uint8Array.from(passkey.publicKey), counter: 0 },
  })
  if (!verified) throw new Error('The signature is wrong')
  const { newCounter, credentialBackedUp, credentialDeviceType } = authenticationInfo
  // Section 6.1.1: a count that does not grow is one of two authenticators with the same key.
  if ((newCounter > 0 || passkey.signCount > 0) && newCounter <= passkey.signCount) {
    throw new Error('The sign count went back: the passkey was copied')
  }
  // Section 7.2: this never changes in the life of a passkey.
  if (credentialDeviceType !== passkey.deviceType) throw new Error('The passkey changed its kind')
  return { signCount: newCounter, backedUp: credentialBackedUp }
}

function checkStoredKey(publicKey: Uint8Array): void {
  try {
    checkPasskeyKey(publicKey)
  } catch (cause) {
    throw new IdentityError('bad_key', 'The stored key of a passkey cannot be read', { cause })
  }
}
