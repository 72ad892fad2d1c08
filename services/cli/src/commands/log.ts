// `auricle audit search`, `show` and `status`: the log as the person at the keyboard may read it, and each reading in it.
import { EventId, UserId } from '@auricle/contract'
import { can } from '@auricle/identity'
import {
  type LogList,
  LogQuery,
  listLogs,
  type NamedPerson,
  type ProofParts,
  type RequestFacts,
  type SealedEvent,
  type SearchParts,
  type ShownEvent,
  searchLog,
  showEvent,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatCount, formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { parseOptions, plainly } from '../plainly.ts'
import { type Column, visible } from '../table.ts'

export const readingParts = (operator: Operator): SearchParts & ProofParts => ({ ...operator, decide: can })

export const filterRules: Readonly<Record<string, string>> = {
  from: '--from is a time in UTC, such as 2026-11-22T00:00:00Z',
  to: '--to is a time in UTC, such as 2026-11-22T00:00:00Z',
  cursor: '--cursor is what the page before named',
  limit: '--limit is a whole number from 1 to 200',
  recording: "--recording is a recording's id; `auricle ls` shows them",
  patient: "--patient is the PBX's reference, of at most 256 characters",
  actor: '--actor is a login, an id, or a part of the vault such as worker',
  action: '--action is what an event is called, such as recording.played',
}

export async function searchEvents(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  filter: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const actor = await actorId(operator, person, filter['actor'])
  const query = parseOptions(LogQuery, { ...filter, actor }, filterRules)
  const page = await plainly(searchLog(readingParts(operator), person, query, operator))
  if (output.json) return output.value(page, '')
  const isFiltered = Object.values(filter).some(value => value !== undefined)
  output.rows(
    page.events,
    eventColumns(page.people),
    isFiltered ? 'No events match' : 'Nothing is sealed into the log yet',
  )
  if (page.asOf !== null) output.say(`\nAs of ${page.asOf.size} events in ${page.asOf.origin}`)
  if (page.nextCursor !== null) output.say(`More: add --cursor ${page.nextCursor}`)
}

/** By login where it is somebody's; an id or a part of the vault as it is. */
export async function actorId(
  { catalog, signal }: Operator,
  { actor }: RequestFacts,
  text: string | undefined,
): Promise<string | undefined> {
  if (text === undefined || UserId.safeParse(text).success) return text
  const user = await catalog.findUserByLogin(actor.tenantId, text, { signal })
  return user?.id ?? text
}

export function eventColumns(people: readonly NamedPerson[]): readonly Column<SealedEvent>[] {
  const logins = new Map<string, string>(people.map(({ id, login }) => [id, login]))
  return [
    { title: 'at', cell: ({ event }) => (event === null ? '-' : formatTime(new Date(event.at))) },
    { title: 'who', cell: ({ event }) => logins.get(event?.actor.id ?? '') ?? event?.actor.id ?? '-' },
    { title: 'what', cell: ({ event }) => event?.action ?? '-' },
    { title: 'of', cell: ({ event }) => event?.object?.id ?? '-' },
    { title: 'outcome', cell: ({ event, finding }) => finding?.toUpperCase() ?? event?.outcome ?? '-' },
    {
      title: 'why',
      cell: ({ event }) => [event?.purpose, ...(event?.reasons ?? [])].filter(Boolean).join(' '),
    },
    { title: 'event', cell: ({ id }) => id },
  ]
}

export async function showOneEvent(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
): Promise<void> {
  const id = EventId.safeParse(text)
  if (!id.success) throw new UsageError(`"${text}" is not an event's id; \`auricle audit search\` shows them`)
  const shown = await plainly(showEvent(readingParts(operator), person, id.data, operator))
  output.value(shown, linesOf(shown).join('\n'))
}

const privateSays = {
  none: 'none',
  dropped: 'dropped; the log still commits to it',
  altered: 'NOT WHAT THE LOG COMMITS TO',
} as const

function linesOf({ event, place, finding, privatePart, proof, id }: ShownEvent): string[] {
  const lines: string[] = [id]
  if (finding !== null) lines.push(`Finding:   ${finding.toUpperCase()}`)
  if (event !== null) {
    lines.push(
      ...[`At:        ${event.at}`, `What:      ${event.action}, ${event.outcome}`],
      `Who:       ${event.actor.type} ${event.actor.id}${event.actor.session === null ? '' : `, ${event.actor.session}`}`,
      ...(event.object === null ? [] : [`Of:        ${event.object.type} ${event.object.id}`]),
      ...(event.patients === undefined ? [] : [`Patients:  ${event.patients.join(' ')}`]),
      `Why:       ${[event.purpose, ...event.reasons].filter(Boolean).join(' ') || '-'}`,
      ...(event.detail === undefined ? [] : [`Detail:    ${JSON.stringify(event.detail)}`]),
    )
  }
  if (privatePart?.state === 'open') {
    for (const [name, value] of Object.entries(privatePart.part ?? {}))
      lines.push(`Private:   ${name}: ${visible(String(value))}`)
  } else if (privatePart !== null) lines.push(`Private:   ${privateSays[privatePart.state]}`)
  lines.push(
    place === null
      ? 'In the log: not yet'
      : `In the log: number ${place.seq} of ${place.year}${proof === null ? ', not under a signed root yet' : `, proved under the root of ${formatCount(proof.size, 'event')}`}`,
  )
  return lines
}

export async function showStatus(operator: Operator, output: Output, person: RequestFacts): Promise<void> {
  const list = await plainly(listLogs(readingParts(operator), person, operator))
  if (output.json) return output.value(list, '')
  output.rows(list.logs, logColumns, 'There is no log yet: nothing is sealed')
  output.say(
    list.unsealedSince === null
      ? '\nEvery event is sealed.'
      : `\nAn event waits to be sealed since ${formatTime(new Date(list.unsealedSince))}.`,
  )
}

const logColumns: readonly Column<LogList['logs'][number]>[] = [
  { title: 'log', cell: ({ origin }) => origin },
  { title: 'events', align: 'right', cell: ({ size }) => size.toLocaleString('en') },
  { title: 'signed', align: 'right', cell: ({ checkpoint }) => (checkpoint?.size ?? 0).toLocaleString('en') },
  { title: 'published', align: 'right', cell: ({ publishedSize }) => publishedSize.toLocaleString('en') },
  {
    title: 'last signed',
    cell: ({ checkpoint }) => (checkpoint === null ? 'never' : formatTime(new Date(checkpoint.sealedAt))),
  },
  { title: 'state', cell: ({ closedAt }) => (closedAt === null ? 'grows' : 'closed') },
]
