// Holds read: listed, shown with their scope and trail, what one covers, and what a new one would cover.
import type {
  HeldPage,
  HeldQuery,
  HoldDetail,
  HoldId,
  HoldPage,
  HoldPreview,
  HoldQuery,
  HoldScope,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { beginReading } from '../log-reading/reading.ts'
import { named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import { type HoldParts, noHold } from './manage-holds.ts'
import { knownClausesOf, patientsOf } from './scope.ts'
import { heldRecording, holdDetail, holdView } from './view.ts'

const reading = { action: 'hold.read', log: 'hold.listed' } as const

/** Newest first. */
export async function listHolds(
  parts: HoldParts,
  facts: RequestFacts,
  { active, cursor, limit }: HoldQuery,
  options: CallOptions,
): Promise<HoldPage> {
  const { secrets, tenantId, note } = await beginReading(
    parts,
    facts,
    { ...reading, object: null, query: { active } },
    options,
  )
  const filter = { isActive: active, beforeId: cursor ?? null, limit: limit + 1 }
  const rows = await parts.catalog.listHolds(tenantId, filter, secrets.columns, options)
  const page = rows.slice(0, limit)
  await note({ detail: { kind: 'found', count: page.length } })
  return {
    holds: page.map(holdView),
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  }
}

export async function showHold(
  parts: HoldParts,
  facts: RequestFacts,
  id: HoldId,
  options: CallOptions,
): Promise<HoldDetail> {
  const wanted = { ...reading, object: named('hold', id), query: null } as const
  const { secrets, tenantId, note, miss } = await beginReading(parts, facts, wanted, options)
  const found = await parts.catalog.findHold(tenantId, id, secrets.columns, options)
  if (found === null) return miss(noHold)
  await note()
  return holdDetail(found)
}

/** What a hold covers, and what was taken out of it, by id. */
export async function listHeld(
  parts: HoldParts,
  facts: RequestFacts,
  id: HoldId,
  { cursor, limit }: HeldQuery,
  options: CallOptions,
): Promise<HeldPage> {
  const wanted = { ...reading, object: named('hold', id), query: null } as const
  const { secrets, tenantId, note, miss } = await beginReading(parts, facts, wanted, options)
  if ((await parts.catalog.findHold(tenantId, id, secrets.columns, options)) === null) return miss(noHold)
  const wantedRows = { id, afterId: cursor ?? null, limit: limit + 1 }
  const rows = await parts.catalog.listHeld(tenantId, wantedRows, options)
  const page = rows.slice(0, limit)
  await note({ detail: { kind: 'found', count: page.length } })
  return {
    recordings: page.map(heldRecording),
    nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  }
}

/** Nothing is written but the event that somebody asked. */
export async function previewHold(
  parts: HoldParts,
  facts: RequestFacts,
  scope: HoldScope,
  options: CallOptions,
): Promise<HoldPreview> {
  const wanted = { ...reading, object: null, query: scope } as const
  const { secrets, tenantId, note } = await beginReading(parts, facts, wanted, options)
  const { catalog } = parts
  const clauses = await knownClausesOf({ catalog, tenantId, secrets }, scope.clauses, options)
  const asked = { clauses, recordings: scope.recordings }
  const found = await catalog.previewHold(tenantId, asked, secrets.columns, options)
  const patients = patientsOf(clauses)
  await note({ reasons: ['preview'], patients, detail: { kind: 'found', count: found.recordings } })
  const { destroying, destroyed, ...counts } = found
  return { ...counts, destroying: [...destroying], destroyed: [...destroyed] }
}
