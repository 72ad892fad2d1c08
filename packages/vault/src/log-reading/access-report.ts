// Who came to what of a patient, of a recording, or by a user's doing: the accesses in the log, allowed and refused.
import type { AuditEvent } from '@auricle/audit'
import type { PatientId, UserId } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import { formatCsv } from '../people/csv.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { AsOf } from './as-of.ts'
import type { AccessReportQuery } from './query.ts'
import { beginReading, patientNamed, type Reading } from './reading.ts'
import type { SealedEvent } from './sealed-event.ts'
import {
  dateOf,
  type LogPage,
  type NamedPerson,
  type PageFilter,
  readPage,
  type SearchParts,
} from './search.ts'

/** What counts as coming to a patient's data; the vault's own housekeeping does not. */
const accesses: readonly AuditEvent['action'][] = [
  'recording.listed',
  'recording.shown',
  'recording.played',
  'recording.served',
  'recording.exported',
  'recording.marked',
  'recording.labelled',
  'recording.cut',
  'disclosure.recorded',
  'disclosure.listed',
  'report.access',
  'report.disclosures',
  'log.searched',
  'log.shown',
  'log.exported',
]

/** Lines of a report that is given as a whole. */
const linesMost = 50_000
const linesAtOnce = 2_000

export interface AccessReport {
  readonly madeAt: string
  /** Whom it is about, by the name that the log has for them; null where it is not of a patient. */
  readonly patient: PatientId | null
  readonly accesses: LogPage['events']
  readonly people: LogPage['people']
  readonly asOf: AsOf | null
  readonly nextCursor: string | null
}

/** One page, newest first. Throws `not_found` for a patient whom the tenant does not know. */
export async function accessReport(
  parts: SearchParts,
  facts: RequestFacts,
  query: AccessReportQuery,
  options: CallOptions,
): Promise<AccessReport> {
  const { reading, patient, filter } = await begin(parts, facts, query, options)
  const page = await readPage(
    parts,
    reading,
    { ...filter, cursor: query.cursor, limit: query.limit },
    options,
  )
  await noteReport(reading, patient, page.events.length)
  return reportOf(reading, patient, page)
}

/** All of it, for a spreadsheet. Throws `malformed` where there are more lines than one can have. */
export async function wholeAccessReport(
  parts: SearchParts,
  facts: RequestFacts,
  query: AccessReportQuery,
  options: CallOptions,
): Promise<AccessReport> {
  const { reading, patient, filter } = await begin(parts, facts, query, options)
  const events: SealedEvent[] = []
  const people = new Map<UserId, NamedPerson>()
  let asOf: AsOf | null = null
  let cursor: string | undefined
  do {
    const page = await readPage(parts, reading, { ...filter, cursor, limit: linesAtOnce }, options)
    events.push(...page.events)
    for (const person of page.people) people.set(person.id, person)
    asOf = page.asOf
    cursor = page.nextCursor ?? undefined
    if (events.length > linesMost)
      throw new VaultError('malformed', `It has more than ${linesMost} lines: ask for a shorter time`)
  } while (cursor !== undefined)
  await noteReport(reading, patient, events.length)
  return reportOf(reading, patient, { events, people: [...people.values()], asOf, nextCursor: null })
}

async function begin(
  parts: SearchParts,
  facts: RequestFacts,
  query: AccessReportQuery,
  options: CallOptions,
) {
  const { patient: text, user, recording, from, to } = query
  const object =
    recording !== undefined
      ? { type: 'recording', id: recording, version: null }
      : user !== undefined
        ? { type: 'user', id: user, version: null }
        : null
  const wanted = { action: 'audit.read', log: 'report.access', object, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const patient = text === undefined ? null : await patientNamed(parts, reading, text, options)
  if (text !== undefined && patient === null) await reading.miss('There is no patient of that reference here')
  const filter: Omit<PageFilter, 'limit'> = {
    ...{ actions: accesses, actorId: user, objectId: recording },
    ...{ patientId: patient ?? undefined, from: dateOf(from), to: dateOf(to) },
  }
  return { reading, patient, filter }
}

const noteReport = (reading: Reading, patient: PatientId | null, count: number) =>
  reading.note({ patients: patient === null ? [] : [patient], detail: { kind: 'found', count } })

const reportOf = (
  { now }: Reading,
  patient: PatientId | null,
  { events, people, asOf, nextCursor }: LogPage,
): AccessReport => ({ madeAt: now.toISOString(), patient, accesses: events, people, asOf, nextCursor })

/** One line an access; the last columns say where it stands in which log, and as of which size this was read. */
export function accessReportCsv({ accesses: lines, people, asOf }: AccessReport): string {
  const byId = new Map<string, NamedPerson>(people.map(person => [person.id, person]))
  const of = (line: SealedEvent) => byId.get(line.event?.actor.id ?? '') ?? null
  const served = ({ event }: SealedEvent) => (event?.detail?.kind === 'served' ? event.detail : null)
  return formatCsv<SealedEvent>(
    {
      at: ({ event }) => event?.at ?? null,
      login: line => of(line)?.login ?? null,
      name: line => of(line)?.name ?? null,
      action: ({ event }) => event?.action ?? null,
      outcome: ({ event }) => event?.outcome ?? null,
      purpose: ({ event }) => event?.purpose ?? null,
      reasons: ({ event }) => event?.reasons.join(' ') ?? null,
      object_type: ({ event }) => event?.object?.type ?? null,
      object: ({ event }) => event?.object?.id ?? null,
      patients: ({ event }) => event?.patients?.join(' ') ?? null,
      bytes_sent: line => served(line)?.bytes.toString() ?? null,
      milliseconds_sent: line => served(line)?.milliseconds?.toString() ?? null,
      complete: line => served(line)?.complete.toString() ?? null,
      actor_type: ({ event }) => event?.actor.type ?? null,
      actor: ({ event }) => event?.actor.id ?? null,
      session: ({ event }) => event?.actor.session ?? null,
      request: ({ event }) => event?.request ?? null,
      event: ({ id }) => id,
      log_year: ({ year }) => String(year),
      log_seq: ({ seq }) => String(seq),
      finding: ({ finding }) => finding ?? null,
      as_of_origin: () => asOf?.origin ?? null,
      as_of_size: () => asOf?.size.toString() ?? null,
    },
    lines,
  )
}
