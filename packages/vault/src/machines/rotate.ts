// A new secret for a connector: sealed, put in the place of the one in use, which holds a while longer.
//
// Nothing is opened for it. Whoever changes secrets can read neither the old nor the new ones, and the key that
// duplicates are recognised with stays where it was sealed first.
import type { AuditRecord } from '@auricle/audit'
import type { Catalog, ConnectorRow } from '@auricle/catalog'
import type { CallOptions } from '@auricle/sealed'
import { sealNewSecrets } from '../connector-secrets.ts'
import { VaultError } from '../error.ts'
import type { VaultKeys } from '../vault-keys.ts'

/** The connector kinds there are; each makes its own secrets. */
export type ConnectorKinds = Readonly<
  Record<string, { newSecrets(): { readonly secrets: unknown; readonly shown: string } }>
>

export interface RotateParts {
  readonly catalog: Pick<Catalog, 'rotateConnector'>
  readonly keys: Pick<VaultKeys, 'key'>
  readonly kinds: ConnectorKinds
}

export interface Overlap {
  /** How long the secrets in use still hold; 0 for no longer. */
  readonly overlapMs: number
  /** Whether an overlap that still runs may end for it. */
  readonly endOverlap: boolean
}

export interface Rotated {
  /** As it is then. */
  readonly row: ConnectorRow
  /** What to enter in the PBX; shown once. */
  readonly secret: string
}

export function newSecretsOf(kinds: ConnectorKinds, kind: string) {
  const known = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  if (known === undefined) throw new VaultError('conflict', 'This version knows no connector of that kind')
  return known.newSecrets()
}

/** Throws `conflict` where it is disabled, an overlap runs that is not to end, or somebody else was first. */
export async function rotate(
  parts: RotateParts,
  row: ConnectorRow,
  { overlapMs, endOverlap }: Overlap,
  { now, record }: { readonly now: Date; readonly record: () => Promise<AuditRecord> },
  options: CallOptions,
): Promise<Rotated> {
  if (row.disabledAt !== null) throw new VaultError('conflict', 'The connector is disabled')
  if (!endOverlap && row.previous !== null && row.previous.until > now)
    throw new VaultError('conflict', 'The secrets before these still hold: end that first, or with this')
  const { tenantId, id, sealedSecrets: replaces } = row
  const { secrets, shown } = newSecretsOf(parts.kinds, row.kind)
  const sealedSecrets = await sealNewSecrets(parts.keys, row, secrets, now, options)
  const previousUntil = overlapMs === 0 ? null : new Date(now.getTime() + overlapMs)
  const rotation = { tenantId, id, at: now, replaces, sealedSecrets, previousUntil, endOverlap }
  if (!(await parts.catalog.rotateConnector(rotation, await record(), options)))
    throw new VaultError('conflict', 'The connector was changed in the same moment')
  const previous = previousUntil === null ? null : { sealedSecrets: replaces, until: previousUntil }
  const firstSealedSecrets = row.firstSealedSecrets ?? replaces
  return {
    row: { ...row, sealedSecrets, firstSealedSecrets, previous, previousUsedAt: null },
    secret: shown,
  }
}
