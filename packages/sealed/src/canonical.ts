// The one way to write a header: JSON as RFC 8785 has it (members in order, no spaces, shortest escapes).
// Texts must be well-formed Unicode and numbers integers, for which JSON.stringify already writes that form.
import type { Wrap } from '@auricle/contract'
import type { RecordingIdentity, SealContext } from './context.ts'

export const suite = 'TINK-AES256-GCM-HKDF-SHA256'
export const version = 1

const text = JSON.stringify

export interface BareCore {
  readonly context: SealContext
  /** base64url, as all bytes in a header. */
  readonly objectSalt: string
  readonly segmentBytes: number
}

/** The core without its commitment: what the core digest is taken of. */
export function canonicalBareCore({ context, objectSalt, segmentBytes }: BareCore): string {
  const { contentType, createdAt, recording, role, tenant } = context
  return (
    `{"context":{"contentType":${text(contentType)},"createdAt":${text(createdAt)},` +
    `"recording":${text(recording)},"role":${text(role)},"tenant":${text(tenant)}},` +
    `"objectSalt":"${objectSalt}","segmentSize":${segmentBytes},"suite":"${suite}","v":${version}}`
  )
}

/** Whose recording it is: what a wrap of its secret is bound to. */
export function canonicalIdentity({ recording, tenant }: RecordingIdentity): string {
  return `{"recording":${text(recording)},"tenant":${text(tenant)}}`
}

/** The core. `commitment` sorts before every other member. */
export function canonicalCore(bareCore: string, commitment: string): string {
  return `{"commitment":"${commitment}",${bareCore.slice(1)}`
}

export function canonicalWraps(wraps: readonly Wrap[]): string {
  return `[${wraps.map(canonicalWrap).join(',')}]`
}

export function canonicalHeader(core: string, mac: string, wraps: string): string {
  return `{"core":${core},"mac":"${mac}","wraps":${wraps}}`
}

function canonicalWrap({ aad, createdAt, key, keyVersion, kms, protection, wrapped }: Wrap): string {
  return (
    `{"aad":${aad},"createdAt":${text(createdAt)},"key":${text(key)},"keyVersion":${text(keyVersion)},` +
    `"kms":${text(kms)},"protection":${text(protection)},"wrapped":${text(wrapped)}}`
  )
}
