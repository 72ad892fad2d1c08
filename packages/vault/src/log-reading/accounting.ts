// The accounting of disclosures that a patient may ask for (45 CFR 164.528): what it holds, and how it is handed over.
import type { DisclosureRow } from '@auricle/catalog'
import type { Accounting, AccountingLine, AccountingQuery } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { VaultError } from '../error.ts'
import { formatCsv } from '../people/csv.ts'
import type { RequestFacts } from '../request-facts.ts'
import { type DisclosureParts, noPatient } from './disclosures.ts'
import { beginReading, patientNamed } from './reading.ts'

/** As far back as one may ask (164.528(a)(1)). */
const yearsBack = 6

/** Says nothing of what a suspension leaves out, nor that it does. */
export async function accountOfDisclosures(
  parts: DisclosureParts,
  facts: RequestFacts,
  query: AccountingQuery,
  options: CallOptions,
): Promise<Accounting> {
  const wanted = { action: 'disclosure.read', log: 'report.disclosures', object: null, query } as const
  const reading = await beginReading(parts, facts, wanted, options)
  const { now, tenantId, secrets } = reading
  const patientId = await patientNamed(parts, reading, query.patient, options)
  if (patientId === null) return reading.miss(noPatient)
  const to = query.to === undefined ? now : new Date(query.to)
  const from = query.from === undefined ? yearsBefore(to, yearsBack) : new Date(query.from)
  if (from >= to) throw new VaultError('malformed', 'from is earlier than to')
  const asked = { patientId, from, to, now }
  const rows = await parts.catalog.accountDisclosures(tenantId, asked, secrets.columns, options)
  const lines = query.summary ? summarised(rows) : rows.map(row => lineOf([row, row], 1))
  await reading.note({ patients: [patientId], detail: { kind: 'found', count: lines.length } })
  return {
    ...{ patient: patientId, madeAt: now.toISOString() },
    ...{ from: from.toISOString(), to: to.toISOString(), lines },
  }
}

/** The same day of an earlier year; of 29 February, the day after where that year has none. */
function yearsBefore(date: Date, years: number): Date {
  const earlier = new Date(date)
  earlier.setUTCFullYear(date.getUTCFullYear() - years)
  return earlier
}

/**
 * Several disclosures to one recipient for one purpose as one line (164.528(b)(3)): what the first was, how many there
 * were, when the last was made. Oldest first.
 */
function summarised(rows: readonly DisclosureRow[]): AccountingLine[] {
  const groups = Map.groupBy(rows, row =>
    JSON.stringify([row.purpose, row.recipientKind, row.recipientName, row.recipientAddress]),
  )
  return [...groups.values()].map(group => lineOf(ends(group), group.length))
}

/** Of one or more. */
function ends(rows: readonly DisclosureRow[]): readonly [DisclosureRow, DisclosureRow] {
  const sorted = rows.toSorted((a, b) => a.disclosedAt.getTime() - b.disclosedAt.getTime())
  const [first] = sorted
  const last = sorted.at(-1)
  if (first === undefined || last === undefined) throw new RangeError('a group of none')
  return [first, last]
}

function lineOf([first, last]: readonly [DisclosureRow, DisclosureRow], count: number): AccountingLine {
  return {
    disclosedAt: first.disclosedAt.toISOString(),
    recipient: { name: first.recipientName, address: first.recipientAddress },
    ...{ what: first.what, why: first.why, count, lastDisclosedAt: last.disclosedAt.toISOString() },
  }
}

/** As it can be handed to the patient. */
export function accountingCsv({ lines }: Pick<Accounting, 'lines'>): string {
  return formatCsv<AccountingLine>(
    {
      date: ({ disclosedAt }) => disclosedAt,
      recipient: ({ recipient }) => recipient.name,
      address: ({ recipient }) => recipient.address,
      description: ({ what }) => what,
      purpose: ({ why }) => why,
      disclosures: ({ count }) => String(count),
      last_date: ({ lastDisclosedAt }) => lastDisclosedAt,
    },
    lines,
  )
}
