// The keys that certificates are checked with, as outsiders take them (RFC 7517).
import { certificateKey } from '@auricle/audit'
import type { CertificateKeys } from '@auricle/contract'
import type { KeyService } from '@auricle/keys'
import type { CallOptions } from '@auricle/sealed'
import { isError } from '../error.ts'

/** Newest first; none before the first certificate. */
export async function certificateKeys(
  keys: Pick<KeyService, 'signer'>,
  options: CallOptions,
): Promise<CertificateKeys> {
  try {
    const found = await keys.signer({ purpose: 'certificates' }).publicKeys(options)
    return { keys: found.map(({ spki }) => certificateKey(spki)) }
  } catch (error) {
    if (isError(error, 'KeyError', 'unknown_key')) return { keys: [] }
    throw error
  }
}
