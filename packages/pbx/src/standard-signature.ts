// Standard Webhooks 1.0: what is signed, by what, and whether a signature stands (github.com/standard-webhooks).
import { createHmac, type Hmac, timingSafeEqual } from 'node:crypto'
import type { PreviousSecrets, ProvenBy } from './connector.ts'
import { PbxError } from './error.ts'

const secretPrefix = 'whsec_'
const minKeyBytes = 24
const maxKeyBytes = 64
const secretForm = /^whsec_([A-Za-z0-9+/]+={0,2})$/
const toleranceSeconds = 300
const digestBytes = 32
const maxSignatures = 16
const maxSignatureHeaderLength = 2048
const millisecondsPerSecond = 1000

/** Printable ASCII without the dot, which separates the signed fields. */
const idForm = /^[\x21-\x2d\x2f-\x7e]{1,256}$/
const timestampForm = /^[0-9]{1,12}$/
const digestForm = /^[A-Za-z0-9+/]{43}=$/

export interface SignatureHeaders {
  readonly id: string
  /** As sent: its text is signed, not its number. */
  readonly timestamp: string
  /** The `v1` signatures. */
  readonly digests: readonly Buffer[]
}

/** Something that sees the body once, chunk by chunk, and then gives a verdict. */
export interface BodyVerifier {
  update(chunk: Uint8Array): void
  /** Throws `PbxError('bad_signature')` unless one of the secrets made one of the signatures. Call it once. */
  verify(): void
  /** Which of them it was; null before `verify` found it. */
  provenBy(): ProvenBy | null
}

/** The key bytes of `whsec_<base64>`. Throws `RangeError` unless they are 24 to 64, as the specification asks. */
export function signingKey(secret: string): Buffer {
  const base64 = secretForm.exec(secret)?.[1]
  const key = Buffer.from(base64 ?? '', 'base64')
  if (key.length < minKeyBytes || key.length > maxKeyBytes) {
    throw new RangeError('A signing secret is whsec_ and the base64 of 24 to 64 bytes.')
  }
  return key
}

export function formatSigningSecret(key: Buffer): string {
  return secretPrefix + key.toString('base64')
}

/** Reads and checks the three headers. Throws `bad_signature`, `malformed` or `stale_timestamp`. */
export function parseSignatureHeaders(
  headers: Readonly<Record<string, string | undefined>>,
  now: Date,
): SignatureHeaders {
  const id = headers['webhook-id']
  const timestamp = headers['webhook-timestamp']
  const signature = headers['webhook-signature']
  if (id === undefined || timestamp === undefined || signature === undefined) {
    throw new PbxError(
      'bad_signature',
      'The headers webhook-id, webhook-timestamp and webhook-signature are required.',
    )
  }
  if (!idForm.test(id)) {
    throw new PbxError('malformed', 'webhook-id must be 1 to 256 visible ASCII characters without a dot.')
  }
  if (!timestampForm.test(timestamp)) {
    throw new PbxError('malformed', 'webhook-timestamp must be whole seconds since 1970.')
  }
  const digests = parseDigests(signature)
  const skewSeconds = Math.abs(Math.floor(now.getTime() / millisecondsPerSecond) - Number(timestamp))
  if (skewSeconds > toleranceSeconds) {
    throw new PbxError(
      'stale_timestamp',
      'webhook-timestamp is more than 300 seconds from now; check the clock and sign again.',
    )
  }
  return { id, timestamp, digests }
}

/** Signatures of other versions are passed over, as the specification asks. */
function parseDigests(header: string): Buffer[] {
  const entries =
    header.length > maxSignatureHeaderLength ? [] : header.split(' ').filter(entry => entry !== '')
  const digests = entries
    .filter(entry => entry.startsWith('v1,'))
    .map(entry => entry.slice('v1,'.length))
    .filter(text => digestForm.test(text))
    .map(text => Buffer.from(text, 'base64'))
  if (digests.length === 0 || entries.length > maxSignatures) {
    throw new PbxError('bad_signature', 'webhook-signature must hold a signature of the form v1,<base64>.')
  }
  return digests
}

/** One HMAC a secret, fed together, so that the body is read once however many secrets are valid. */
export function bodyVerifier(
  headers: SignatureHeaders,
  secrets: readonly string[],
  previous: PreviousSecrets<readonly string[]>,
): BodyVerifier {
  const macsOf = (texts: readonly string[]) =>
    texts.map(secret => signedMac(headers.id, headers.timestamp, secret))
  const current = macsOf(secrets)
  const old = macsOf(previous.secrets)
  let proven: ProvenBy | null = null
  return {
    update(chunk) {
      for (const mac of current) mac.update(chunk)
      for (const mac of old) mac.update(chunk)
    },
    verify() {
      const isCurrent = matches(current, headers.digests)
      const isPrevious = matches(old, headers.digests)
      if (isCurrent) proven = 'current'
      else if (isPrevious && previous.holds()) proven = 'previous'
      else throw new PbxError('bad_signature', 'The signature does not match the body.')
    },
    provenBy: () => proven,
  }
}

function matches(macs: readonly Hmac[], digests: readonly Buffer[]): boolean {
  let valid = false
  for (const mac of macs) {
    const expected = mac.digest()
    for (const digest of digests) {
      // No early exit: the time taken says nothing about which secret or signature was near.
      valid = (digest.length === digestBytes && timingSafeEqual(digest, expected)) || valid
    }
  }
  return valid
}

/** HMAC-SHA256 over `{id}.{timestamp}.` so far; the body comes next. */
export function signedMac(id: string, timestamp: string, secret: string) {
  return createHmac('sha256', signingKey(secret)).update(`${id}.${timestamp}.`)
}

export function isWebhookId(id: string): boolean {
  return idForm.test(id)
}
