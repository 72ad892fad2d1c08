// A certificate of destruction: what the log commits to before it can be signed, and the signed text (compact JWS, RFC 7515).
//
// The payload has one spelling (canonical JSON), so that two verifiers cannot read it differently; to whoever only checks
// the signature it is JSON like any other.
import { CertificateClaims, type CertificateKeys, DisposalClaims } from '@auricle/contract'
import { type Bytes, concat, equalBytes, fromBase64, fromUtf8, sha256, toBase64, utf8 } from './bytes.ts'
import { canonicalJson } from './canonical-json.ts'
import { AuditError } from './error.ts'
import type { EventDetail } from './event.ts'
import { ecdsaFromDer } from './signature.ts'

export type CertificateKey = CertificateKeys['keys'][number]

const type = 'auricle-certificate+jwt'
/** SubjectPublicKeyInfo in DER of Ed25519 (RFC 8410) and of an uncompressed point on P-256 (RFC 5480): all before the key. */
const ed25519Prefix = fromHex('302a300506032b6570032100')
const p256Prefix = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004')
const coordinateBytes = 32

/** Base64 of SHA-256 over their canonical JSON. Throws `AuditError('bad_certificate')` for what does not follow their schema. */
export function claimsHash(claims: DisposalClaims): string {
  const parsed = DisposalClaims.safeParse(claims)
  if (!parsed.success) throw refusal('the claims do not follow their schema', parsed.error)
  return toBase64(sha256(utf8(canonicalJson(parsed.data))))
}

/** What `recording.disposed` says beside who, what and when. */
export function disposedDetail(claims: DisposalClaims): EventDetail {
  const { disposition, rule, objects } = claims
  const bytes = objects.reduce((sum, object) => sum + object.bytes, 0)
  return {
    ...{ kind: 'disposal', disposition, rule: rule.id, version: rule.version },
    ...{ objects: objects.length, bytes, claims: claimsHash(claims) },
  }
}

/** As JWKS have it; `kid` is the thumbprint (RFC 7638). Throws `AuditError('bad_key')` for a key of another kind. */
export function certificateKey(spki: Uint8Array): CertificateKey {
  const edwards = after(ed25519Prefix, spki, coordinateBytes)
  if (edwards !== null) {
    const key = { crv: 'Ed25519', kty: 'OKP', x: toBase64url(edwards) } as const
    return { ...key, kid: thumbprint(key), alg: 'EdDSA', use: 'sig' }
  }
  const point = after(p256Prefix, spki, 2 * coordinateBytes)
  if (point === null) throw new AuditError('bad_key', 'certificates are signed with Ed25519 or on P-256')
  const x = toBase64url(point.subarray(0, coordinateBytes))
  const key = { crv: 'P-256', kty: 'EC', x, y: toBase64url(point.subarray(coordinateBytes)) } as const
  return { ...key, kid: thumbprint(key), alg: 'ES256', use: 'sig' }
}

/** What is to be signed: header and payload. Throws as `claimsHash`. */
export function certificateText(key: CertificateKey, claims: CertificateClaims): string {
  const parsed = CertificateClaims.safeParse(claims)
  if (!parsed.success) throw refusal('the claims do not follow their schema', parsed.error)
  const header = canonicalJson({ alg: key.alg, kid: key.kid, typ: type })
  return `${toBase64url(utf8(header))}.${toBase64url(utf8(canonicalJson(parsed.data)))}`
}

/**
 * The whole certificate, from a signature as key services give it: 64 bytes of Ed25519, or DER of ECDSA. Rejects with
 * `AuditError('bad_signature')` where it is not the key's.
 */
export async function sealCertificate(
  key: CertificateKey,
  text: string,
  signature: Uint8Array,
): Promise<string> {
  const raw = key.alg === 'ES256' ? ecdsaFromDer(signature) : concat(signature)
  if (raw === null || !(await isCertificateSigned(key, text, raw)))
    throw new AuditError('bad_signature', 'the key that was named did not sign the certificate')
  return `${text}.${toBase64url(raw)}`
}

export interface ReadCertificate {
  readonly header: { readonly alg: CertificateKey['alg']; readonly kid: string }
  readonly claims: CertificateClaims
}

/** What it says, which proves nothing. Throws `AuditError('bad_certificate')` for any text that is none. */
export function readCertificate(jws: string): ReadCertificate {
  const [head = '', payload = '', signature = '', ...more] = jws.split('.')
  if (more.length > 0 || fromBase64url(signature)?.length !== 2 * coordinateBytes)
    throw refusal('it is no JWS')
  const header = objectOf(head)
  const parsed = CertificateClaims.safeParse(objectOf(payload))
  if (!parsed.success) throw refusal('its claims do not follow their schema', parsed.error)
  const { alg, kid } = header
  const isKnown = alg === 'EdDSA' || alg === 'ES256'
  if (!isKnown || typeof kid !== 'string' || header['typ'] !== type || Object.keys(header).length !== 3)
    throw refusal('its header is another')
  return { header: { alg, kid }, claims: parsed.data }
}

async function isCertificateSigned(key: CertificateKey, text: string, raw: Bytes): Promise<boolean> {
  const { kty, crv, x } = key
  const jwk = key.kty === 'EC' ? { kty, crv, x, y: key.y } : { kty, crv, x }
  const algorithm =
    key.kty === 'EC' ? { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } : { name: 'Ed25519' }
  const imported = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify'])
  return await crypto.subtle.verify(algorithm, imported, raw, utf8(text))
}

/** Of a part in its one spelling. */
function objectOf(part: string): Readonly<Record<string, unknown>> {
  const bytes = fromBase64url(part)
  try {
    const json = fromUtf8(bytes ?? new Uint8Array())
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && canonicalJson(value) === json)
      return value as Record<string, unknown>
  } catch (cause) {
    throw refusal('a part of it is not readable', cause)
  }
  throw refusal('a part of it is not in its one spelling')
}

const thumbprint = (members: Readonly<Record<string, string>>): string =>
  toBase64url(sha256(utf8(canonicalJson(members))))

const toBase64url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

function fromBase64url(text: string): Bytes | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null
  const padded = text.replaceAll('-', '+').replaceAll('_', '/')
  return fromBase64(padded.padEnd(Math.ceil(padded.length / 4) * 4, '='))
}

function after(prefix: Uint8Array, whole: Uint8Array, length: number): Bytes | null {
  if (whole.length !== prefix.length + length) return null
  return equalBytes(whole.subarray(0, prefix.length), prefix) ? concat(whole.subarray(prefix.length)) : null
}

function fromHex(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
}

const refusal = (why: string, cause?: unknown): AuditError =>
  new AuditError('bad_certificate', `this is no certificate: ${why}`, { cause })
