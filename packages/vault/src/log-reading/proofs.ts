// Proofs from the logs of a tenant: that an event is in one, that one only ever grew; each beside the signed root it is for.
import { consistencyProof, type HashReader, inclusionProof, rootAt, tileReader } from '@auricle/audit'
import type { AuditLogRow, Catalog, SealedRow } from '@auricle/catalog'
import type { EventId, TenantId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import type { RequestFacts } from '../request-facts.ts'
import { base64 } from './as-of.ts'
import { type CheckpointView, checkpointViewOf, type LogParts } from './logs.ts'
import type { ConsistencyQuery, InclusionQuery } from './query.ts'
import { beginReading } from './reading.ts'

export interface ProofParts extends LogParts {
  readonly catalog: LogParts['catalog'] & Pick<Catalog, 'findAudit' | 'readTile'>
}

export interface InclusionProof {
  readonly event: EventId
  readonly origin: string
  readonly year: number
  readonly index: number
  readonly size: number
  /** Base64, as all hashes here. */
  readonly leafHash: string
  readonly root: string
  /** The leaf's sibling first. */
  readonly proof: readonly string[]
  readonly checkpoint: CheckpointView
}

export interface ConsistencyProof {
  readonly origin: string
  readonly year: number
  readonly from: number
  readonly to: number
  readonly fromRoot: string
  readonly toRoot: string
  readonly proof: readonly string[]
  /** Null where no root of that size was signed. */
  readonly fromCheckpoint: CheckpointView | null
  readonly toCheckpoint: CheckpointView | null
}

/** Throws `not_found` for no such event, `conflict` for one that no signed root holds yet. */
export async function proveInclusion(
  parts: ProofParts,
  facts: RequestFacts,
  { event: id, size }: InclusionQuery,
  options: CallOptions,
): Promise<InclusionProof> {
  const object = { type: 'event', id, version: null }
  const wanted = { action: 'audit.read', log: 'log.proved', object, query: { size } } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { tenantId } = reading
  const found = await parts.catalog.findAudit(tenantId, id, options)
  if (found === null) return reading.miss('There is no such event')
  const proof =
    found.seal === null
      ? null
      : await inclusionOf(parts, tenantId, found.seal, {
          ...options,
          ...(size === undefined ? {} : { size }),
        })
  await reading.note()
  if (proof === null)
    throw new VaultError('conflict', 'No signed root holds this event yet: ask again in a few seconds')
  return proof
}

/** Null where there is no signed root of that size, or none that holds it. */
export async function inclusionOf(
  { catalog }: Pick<ProofParts, 'catalog'>,
  tenantId: TenantId,
  { id, year, seq, leafHash }: SealedRow,
  { size, ...options }: CallOptions & { readonly size?: number },
): Promise<InclusionProof | null> {
  const log = await logOf({ catalog }, tenantId, year, options)
  const row =
    size === undefined ? log?.checkpoint : await catalog.findCheckpoint({ tenantId, year }, size, options)
  if (log === null || row === undefined || row === null || row.size <= seq) return null
  const proof = await inclusionProof(seq, row.size, reader({ catalog }, tenantId, year, row.size, options))
  return {
    ...{ event: id, origin: log.origin, year, index: seq, size: row.size },
    ...{ leafHash: base64(leafHash), root: base64(row.root), proof: proof.map(base64) },
    checkpoint: checkpointViewOf(log, row),
  }
}

/** Throws `not_found` for no such log, `malformed` for sizes that it has not. */
export async function proveConsistency(
  parts: ProofParts,
  facts: RequestFacts,
  query: ConsistencyQuery,
  options: CallOptions,
): Promise<ConsistencyProof> {
  const { year, from } = query
  const wanted = { action: 'audit.read', log: 'log.proved', object: null, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { tenantId } = reading
  const log = await logOf(parts, tenantId, year, options)
  if (log === null || log.checkpoint === null) return reading.miss('There is no such log yet')
  const to = query.to ?? log.checkpoint.size
  if (from > to || to > log.size)
    throw new VaultError('malformed', `The log of ${year} has ${log.size} leaves`)
  const hashes = reader(parts, tenantId, year, log.size, options)
  const proof = await consistencyProof(from, to, hashes)
  const [fromRoot, toRoot] = await Promise.all([rootAt(from, hashes), rootAt(to, hashes)])
  const signed = async (size: number) => {
    const row = await parts.catalog.findCheckpoint({ tenantId, year }, size, options)
    return row === null ? null : checkpointViewOf(log, row)
  }
  const [fromCheckpoint, toCheckpoint] = [await signed(from), await signed(to)]
  await reading.note()
  return {
    ...{ origin: log.origin, year, from, to, fromRoot: base64(fromRoot), toRoot: base64(toRoot) },
    ...{ proof: proof.map(base64), fromCheckpoint, toCheckpoint },
  }
}

async function logOf(
  { catalog }: Pick<LogParts, 'catalog'>,
  tenantId: TenantId,
  year: number,
  options: CallOptions,
): Promise<AuditLogRow | null> {
  const logs = await catalog.listAuditLogs(tenantId, options)
  return logs.find(log => log.year === year) ?? null
}

const reader = (
  { catalog }: Pick<ProofParts, 'catalog'>,
  tenantId: TenantId,
  year: number,
  size: number,
  options: CallOptions,
): HashReader =>
  tileReader(async tile => new Uint8Array(await catalog.readTile({ tenantId, year }, tile, options)), size)
