// Searching the log: newest first, all pages of one search as of the same signed root.
import type { AuditFilter, Catalog } from '@auricle/catalog'
import type { PatientId, UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import type { RequestFacts } from '../request-facts.ts'
import { type AsOf, givenAsOf, newestAsOf } from './as-of.ts'
import type { LogQuery } from './query.ts'
import { beginReading, patientNamed, type Reading, type ReadingParts } from './reading.ts'
import { type SealedEvent, sealedEventsOf } from './sealed-event.ts'
import { decodeSearchCursor, encodeSearchCursor } from './search-cursor.ts'

export interface SearchParts extends ReadingParts {
  readonly catalog: ReadingParts['catalog'] &
    Pick<Catalog, 'searchAudit' | 'listAuditLogs' | 'findCheckpoint'>
}

/** Somebody whom events name. */
export interface NamedPerson {
  readonly id: UserId
  readonly login: string
  readonly name: string
}

export interface LogPage {
  readonly events: readonly SealedEvent[]
  /** Those of the actors who are users. */
  readonly people: readonly NamedPerson[]
  /** Null while nothing is sealed. */
  readonly asOf: AsOf | null
  readonly nextCursor: string | null
}

export interface SearchedPage extends LogPage {
  /** Whom it was searched for, by their name in the log; null where nobody was, or nobody is known by that. */
  readonly patient: PatientId | null
}

export async function searchLog(
  parts: SearchParts,
  facts: RequestFacts,
  query: LogQuery,
  options: CallOptions,
): Promise<SearchedPage> {
  const wanted = { action: 'audit.read', log: 'log.searched', object: null, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { patient, actor, recording, action, outcome, from, to, cursor, limit } = query
  const patientId = patient === undefined ? undefined : await patientNamed(parts, reading, patient, options)
  const page =
    patientId === null
      ? emptyPage
      : await readPage(
          parts,
          reading,
          {
            ...{ patientId, actorId: actor, objectId: recording, outcome },
            actions: action === undefined ? undefined : [action],
            ...{ from: dateOf(from), to: dateOf(to), cursor, limit },
          },
          options,
        )
  await reading.note({
    patients: patientId === undefined || patientId === null ? [] : [patientId],
    detail: { kind: 'found', count: page.events.length },
  })
  return { ...page, patient: patientId ?? null }
}

const emptyPage: LogPage = { events: [], people: [], asOf: null, nextCursor: null }

export const dateOf = (text: string | undefined): Date | undefined =>
  text === undefined ? undefined : new Date(text)

export type PageFilter = Omit<AuditFilter, 'asOf' | 'after'> & { readonly cursor?: string | undefined }

/** One page; of all events before the root that the first page was read as of. */
export async function readPage(
  parts: SearchParts,
  { tenantId }: Pick<Reading, 'tenantId'>,
  { cursor, ...filter }: PageFilter,
  options: CallOptions,
): Promise<LogPage> {
  const given = cursor === undefined ? null : decodeSearchCursor(cursor)
  const asOf =
    given === null
      ? await newestAsOf(parts, tenantId, options)
      : await givenAsOf(parts, tenantId, given.asOf, options)
  if (asOf === null) return emptyPage
  const position = { year: asOf.year, seq: asOf.size }
  const rows = await parts.catalog.searchAudit(
    tenantId,
    { ...filter, asOf: position, after: given, limit: filter.limit + 1 },
    options,
  )
  const shown = rows.slice(0, filter.limit)
  const last = shown.at(-1)
  const events = sealedEventsOf(shown, tenantId, parts)
  return {
    events,
    people: await peopleOf(parts, tenantId, events, options),
    asOf,
    nextCursor:
      rows.length > filter.limit && last !== undefined
        ? encodeSearchCursor({ at: last.at, id: last.id, asOf: position })
        : null,
  }
}

async function peopleOf(
  { catalog }: Pick<SearchParts, 'catalog'>,
  tenantId: Reading['tenantId'],
  events: readonly SealedEvent[],
  options: CallOptions,
): Promise<readonly NamedPerson[]> {
  const ids = new Set(events.map(({ event }) => event?.actor.id))
  if (ids.size === 0) return []
  const users = await catalog.listUsers(tenantId, options)
  return users.filter(({ id }) => ids.has(id)).map(({ id, login, name }) => ({ id, login, name }))
}
