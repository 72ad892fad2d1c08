// `auricle break-glass`: emergency access of the person at the keyboard, and its review, through the same use cases as the API.
import {
  BreakGlassId,
  BreakGlassQuery,
  BreakGlassReview,
  BreakGlassStart,
  type BreakGlassView,
  type EmergencyUse,
  EmergencyUseQuery,
} from '@auricle/contract'
import { can } from '@auricle/identity'
import {
  type BreakGlassParts,
  endBreakGlass,
  listBreakGlass,
  type RequestFacts,
  reviewBreakGlass,
  showBreakGlass,
  startBreakGlass,
} from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { plainly } from '../plainly.ts'
import { visible } from '../table.ts'

/** What every command says while it is open; null while it is not. */
export function breakGlassLine({ breakGlass }: RequestFacts['actor']): string | null {
  if (breakGlass === null) return null
  return `your emergency access is open until ${formatTime(breakGlass.until)}; what you open is reviewed`
}

// The alert is a row; whoever runs the services sees it counted and logged there.
const partsOf = (operator: Operator): BreakGlassParts => ({
  ...operator,
  decide: can,
  onAlert: () => undefined,
})

export async function startAccess(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
): Promise<void> {
  const start = BreakGlassStart.safeParse({ reason: text })
  if (!start.success)
    throw new UsageError('--reason has 10 to 1000 characters, ten of them letters or digits')
  const view = await plainly(startBreakGlass(partsOf(operator), person, start.data.reason, operator))
  const lines = [
    `Emergency access ${view.id} is open until ${formatTime(new Date(view.until))}.`,
    'The compliance officer has been told, and somebody else will judge it.',
    'End it with `auricle break-glass end` when you have what you need.',
  ]
  output.value(view, lines.join('\n'))
}

export async function endAccess(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string | undefined,
): Promise<void> {
  const id = text === undefined ? person.actor.breakGlass?.id : parseId(text)
  if (id === undefined) throw new UsageError('No emergency access of yours is open')
  await plainly(endBreakGlass(partsOf(operator), person, id, operator))
  output.value({ id, state: 'ended' }, `Emergency access ${id} is over`)
}

export async function listAccess(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  filter: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const query = BreakGlassQuery.safeParse(filter)
  if (!query.success)
    throw new UsageError(
      '--limit is a whole number from 1 to 200, and --cursor is what the page before named',
    )
  const page = await plainly(listBreakGlass(partsOf(operator), person, query.data, operator))
  if (output.json) return output.value(page, '')
  output.rows(page.breakGlass, columns, 'There is no emergency access to show')
  if (page.nextCursor !== null) output.say(`\nMore: add --cursor ${page.nextCursor}`)
}

const columns = [
  { title: 'emergency access', cell: (row: BreakGlassView) => row.id },
  { title: 'person', cell: (row: BreakGlassView) => row.user.login },
  { title: 'started', cell: (row: BreakGlassView) => formatTime(new Date(row.startedAt)) },
  { title: 'ended', cell: (row: BreakGlassView) => timeOrDash(row.endedAt) },
  { title: 'state', cell: (row: BreakGlassView) => row.state },
  { title: 'review due', cell: (row: BreakGlassView) => formatTime(new Date(row.reviewDueAt)) },
  { title: 'verdict', cell: (row: BreakGlassView) => row.review?.verdict.replace('_', ' ') ?? '-' },
]

const timeOrDash = (text: string | null) => (text === null ? '-' : formatTime(new Date(text)))

export async function showAccess(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  asked: { readonly id: string; readonly cursor?: string | undefined },
): Promise<void> {
  const query = EmergencyUseQuery.safeParse(asked.cursor === undefined ? {} : { cursor: asked.cursor })
  if (!query.success) throw new UsageError('--cursor is what the page before named')
  const detail = await plainly(
    showBreakGlass(partsOf(operator), person, parseId(asked.id), query.data, operator),
  )
  if (output.json) return output.value(detail, '')
  output.rows([detail], columns, '')
  output.say(`\nReason: ${visible(detail.reason)}`)
  if (detail.review !== null) output.say(`Review: ${visible(detail.review.note)}`)
  if (detail.uses === null) return
  output.say('')
  output.rows(detail.uses.events, useColumns, 'Nothing was asked for under it')
  if (detail.uses.nextCursor !== null) output.say(`\nMore: add --cursor ${detail.uses.nextCursor}`)
}

const useColumns = [
  { title: 'at', cell: (use: EmergencyUse) => formatTime(new Date(use.at)) },
  { title: 'what', cell: (use: EmergencyUse) => use.action.replace('recording.', '') },
  { title: 'recording', cell: (use: EmergencyUse) => use.recording ?? '-' },
  { title: 'outcome', cell: (use: EmergencyUse) => (use.allowed ? 'allowed' : 'denied') },
]

export async function reviewAccess(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  asked: { readonly id: string; readonly verdict: string; readonly note: string },
): Promise<void> {
  const review = BreakGlassReview.safeParse({
    verdict: asked.verdict.replace('-', '_'),
    note: asked.note,
  })
  if (!review.success) throw new UsageError('--note has 1 to 1000 characters')
  const id = parseId(asked.id)
  const view = await plainly(reviewBreakGlass(partsOf(operator), person, id, review.data, operator))
  output.value(view, `Emergency access ${view.id} of ${view.user.login} was judged: ${asked.verdict}`)
}

function parseId(text: string): BreakGlassId {
  const id = BreakGlassId.safeParse(text)
  if (!id.success)
    throw new UsageError(`"${text}" is not an emergency access's id; \`auricle break-glass list\` shows them`)
  return id.data
}
