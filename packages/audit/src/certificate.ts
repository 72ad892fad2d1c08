// How the log commits to what a certificate of destruction says, before the certificate can be signed.
import { DisposalClaims } from '@auricle/contract'
import { sha256, toBase64, utf8 } from './bytes.ts'
import { canonicalJson } from './canonical-json.ts'
import { AuditError } from './error.ts'
import type { EventDetail } from './event.ts'

/** Base64 of SHA-256 over their canonical JSON. Throws `AuditError('bad_claims')` for what does not follow their schema. */
export function claimsHash(claims: DisposalClaims): string {
  const parsed = DisposalClaims.safeParse(claims)
  if (!parsed.success)
    throw new AuditError('bad_claims', 'the claims do not follow their schema', { cause: parsed.error })
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
