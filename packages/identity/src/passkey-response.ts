// What a browser says of a passkey, parsed within bounds before anything else reads it (WebAuthn level 3, section 5.1).
import { UserId } from '@auricle/contract'
import { z } from 'zod'
import { IdentityError } from './error.ts'

/** Of decoded bytes. An id is that long at most by section 5.8.3; the rest leaves room for RSA keys of 4096 bits. */
const bytesMost = {
  credentialId: 1023,
  clientData: 2048,
  attestationObject: 4096,
  authenticatorData: 1024,
  signature: 1024,
  userHandle: 64,
} as const

/** A text has one spelling, so that ids can be compared as texts. */
const base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(Math.ceil((most * 4) / 3))
    .refine(text => Buffer.from(text, 'base64url').toString('base64url') === text, 'expected base64url')

/** How an authenticator can be reached: hints for browsers, which make up new ones over time. */
const transports = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const

/** Section 5.8.1. */
const ClientData = z.object({
  type: z.string(),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.boolean().optional(),
  topOrigin: z.string().optional(),
})
const ClientDataJson = base64url(bytesMost.clientData)

const Credential = z.object({
  id: base64url(bytesMost.credentialId),
  rawId: base64url(bytesMost.credentialId),
  type: z.literal('public-key'),
})

const Registration = Credential.extend({
  response: z.object({
    clientDataJSON: ClientDataJson,
    attestationObject: base64url(bytesMost.attestationObject),
    transports: z.array(z.string().max(32)).max(16).default([]),
  }),
})

const Assertion = Credential.extend({
  response: z.object({
    clientDataJSON: ClientDataJson,
    authenticatorData: base64url(bytesMost.authenticatorData),
    signature: base64url(bytesMost.signature),
    userHandle: base64url(bytesMost.userHandle).nullish(),
  }),
})

export type RegistrationResponse = z.infer<typeof Registration>
export type AssertionResponse = z.infer<typeof Assertion>

/** Throws `IdentityError('malformed')`. */
export function parseRegistration(response: unknown): RegistrationResponse {
  return parse(Registration, response)
}

/** Throws `IdentityError('malformed')`. */
export function parseAssertion(response: unknown): AssertionResponse {
  return parse(Assertion, response)
}

/** The transports that are known, each once. */
export function knownTransports(named: readonly string[]): readonly string[] {
  return transports.filter(transport => named.includes(transport))
}

/**
 * Throws `IdentityError('malformed')` where the page that asked was inside one of another site. The library looks at
 * that only where the browser names the other site, which not every browser does.
 */
export function checkSameOrigin(clientDataJson: string): void {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(clientDataJson, 'base64url').toString())
  } catch (cause) {
    throw malformed(cause)
  }
  const { crossOrigin = false, topOrigin } = parse(ClientData, value)
  if (crossOrigin || topOrigin !== undefined)
    throw malformed(new Error('It was asked for in a foreign frame'))
}

/** Which passkey an assertion claims to be of. Throws `IdentityError('malformed')`. */
export const credentialIdOf = (response: unknown): string => parseAssertion(response).id

/**
 * Whose passkey an assertion claims to be, which the authenticator has kept from registration; null where it does not
 * say, or names nobody of ours. A claim: who it is becomes sure by `verifyAssertion`. Throws
 * `IdentityError('malformed')`.
 */
export function userHandleOf(response: unknown): UserId | null {
  const { userHandle } = parseAssertion(response).response
  if (userHandle === undefined || userHandle === null) return null
  const userId = UserId.safeParse(Buffer.from(userHandle, 'base64url').toString())
  return userId.success ? userId.data : null
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw malformed(parsed.error)
  return parsed.data
}

function malformed(cause: unknown): IdentityError {
  return new IdentityError('malformed', 'This is not what a browser sends of a passkey', { cause })
}
