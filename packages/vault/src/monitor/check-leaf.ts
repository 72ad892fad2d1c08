// Whether the rows of one sealed event say what its leaf says: the leaf against its seal, the columns that search uses
// against the leaf, the sealed private part against what was there before.
import { AuditError, type AuditEvent, decodeLeaf, equalBytes, leafHash } from '@auricle/audit'
import type { LogOf, WatchedLeaf } from '@auricle/catalog'
import { type Candidate, type FindingName, found } from './finding.ts'

export interface CheckedLeaf {
  readonly findings: readonly Candidate[]
  /** Null where the row holds none that can be read. */
  readonly event: AuditEvent | null
  /** The event says that it has a private part, and there is none: whoever calls knows whether it was dropped. */
  readonly lacksPrivate: boolean
}

/** `knownDigest` is what the private part's digest was when it was first seen; null where it was not seen. */
export function checkLeaf(log: LogOf, row: WatchedLeaf, knownDigest: Uint8Array | null): CheckedLeaf {
  const finding = (name: FindingName, code: string) =>
    found(name, code, { tenantId: log.tenantId, year: log.year, seq: row.seq, eventId: row.eventId })
  if (row.event === null)
    return { findings: [finding('truncation', 'event_gone')], event: null, lacksPrivate: false }
  const { leaf, privateDigest } = row.event
  // Of an altered leaf nothing further is worth comparing.
  if (!equalBytes(leafHash(leaf), row.sealedHash))
    return { findings: [finding('silent_edit', 'leaf')], event: null, lacksPrivate: false }
  const event = readEvent(leaf)
  if (event === null)
    return { findings: [finding('silent_edit', 'no_leaf')], event: null, lacksPrivate: false }

  const findings = rewritten(event, row, log.tenantId).map(column => finding('rewritten_index', column))
  if (event.private === null && privateDigest !== null) findings.push(finding('silent_edit', 'private_added'))
  if (privateDigest !== null && knownDigest !== null && !startsWith(privateDigest, knownDigest))
    findings.push(finding('silent_edit', 'private_changed'))
  return { findings, event, lacksPrivate: event.private !== null && privateDigest === null }
}

/** A private part that is gone without an event that says so, for longer than that takes to be sealed. */
export const privateGone = (log: LogOf, { seq, eventId }: WatchedLeaf, graceMs: number): Candidate =>
  found('silent_edit', 'private_gone', { tenantId: log.tenantId, year: log.year, seq, eventId }, graceMs)

function readEvent(leaf: Uint8Array): AuditEvent | null {
  try {
    return decodeLeaf(leaf)
  } catch (error) {
    if (error instanceof AuditError) return null
    throw error
  }
}

/** Columns of the seal, and rows about patients, that are not as the leaf has them. */
function rewritten(event: AuditEvent, row: WatchedLeaf, tenantId: string): readonly string[] {
  const patients = [...(event.patients ?? [])].sort().join(' ')
  const columns: Readonly<Record<string, boolean>> = {
    tenant: event.tenant === tenantId,
    event: event.id === row.eventId,
    at: Date.parse(event.at) === row.at.getTime(),
    action: event.action === row.action,
    outcome: event.outcome === row.outcome,
    actor: event.actor.id === row.actorId,
    object: (event.object?.id ?? null) === row.objectId,
    patients: patients === [...row.patients].sort().join(' '),
  }
  return Object.entries(columns)
    .filter(([, isSame]) => !isSame)
    .map(([column]) => column)
}

const startsWith = (bytes: Uint8Array, beginning: Uint8Array): boolean =>
  equalBytes(bytes.subarray(0, beginning.length), beginning)
