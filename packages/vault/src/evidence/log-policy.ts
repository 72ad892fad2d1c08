// Whom an outsider has to trust to check a log: the key over all logs, and the witnesses, as a C2SP tlog-policy.
//
// The keys of single tenants' logs are left out: what they sign is anchored within seconds, and they change every year.
import { formatPolicy, parseVerifierKey } from '@auricle/audit'
import type { Catalog } from '@auricle/catalog'
import type { KeyService } from '@auricle/keys'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import { anchorVerifierKey } from '../log/anchor.ts'

export interface PolicyParts {
  readonly catalog: Pick<Catalog, 'findAnchor'>
  readonly keys: Pick<KeyService, 'signer'>
  readonly witnesses: readonly { readonly verifierKey: string; readonly url: string }[]
}

/** Throws `conflict` before the first checkpoint is anchored. */
export async function logPolicy(
  { catalog, keys, witnesses }: PolicyParts,
  options: CallOptions,
): Promise<string> {
  const anchor = await catalog.findAnchor(options)
  if (anchor === null)
    throw new VaultError('conflict', 'Nothing of this log has been published yet. Try again in a minute.')
  const publicKey = await keys.signer({ purpose: 'checkpoints' }).publicKey(options)
  const named = witnesses.map(({ verifierKey: text, url }, index) => {
    return { name: `witness-${index + 1}`, key: parseVerifierKey(text), url }
  })
  const group = {
    name: 'witnesses',
    needed: Math.floor(named.length / 2) + 1,
    members: named.map(({ name }) => name),
  }
  return formatPolicy({
    logs: [{ key: anchorVerifierKey(anchor.origin, publicKey), url: null }],
    witnesses: named,
    groups: named.length === 0 ? [] : [group],
    quorum: named.length === 0 ? null : group.name,
  })
}
