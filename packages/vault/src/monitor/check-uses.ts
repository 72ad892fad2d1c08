// Whether a key service counted more uses of a tenant's key than events announced. It says of no use which event allowed
// it, so days are compared as wholes.
import type { AuditEvent } from '@auricle/audit'
import { announcesUse } from './check-claims.ts'
import { type Candidate, found } from './finding.ts'
import type { MonitorState } from './state.ts'

type Days = MonitorState['uses']

const dayMs = 24 * 60 * 60_000
const dayOf = (date: Date): string => date.toISOString().slice(0, '2026-01-01'.length)

/** Counts an event of a tenant that announces the use of a key. */
export function countAnnounced(days: Days, event: AuditEvent): Days {
  if (event.outcome !== 'allowed' || !announcesUse(event.action)) return days
  const day = dayOf(new Date(event.at))
  const ofDay = days[day] ?? {}
  const { announced, counted } = ofDay[event.tenant] ?? { announced: 0, counted: 0 }
  return { ...days, [day]: { ...ofDay, [event.tenant]: { announced: announced + 1, counted } } }
}

/**
 * Judges days that are over for a day, when the exported entries of the key service have arrived, and forgets them. An
 * event at midnight may have its use on the day after, so a day may have as many as it and the day before announced.
 */
export function judgeDays(
  days: Days,
  now: Date,
): { readonly findings: readonly Candidate[]; readonly days: Days } {
  const findings: Candidate[] = []
  const kept: Record<string, Days[string]> = {}
  for (const [day, tenants] of Object.entries(days)) {
    const ageMs = now.getTime() - Date.parse(day)
    if (ageMs < 4 * dayMs) kept[day] = tenants
    // Judged once: on the day on which it has been over for one.
    if (ageMs < 2 * dayMs || ageMs >= 3 * dayMs) continue
    const before = days[dayOf(new Date(Date.parse(day) - dayMs))] ?? {}
    for (const [tenantId, { announced, counted }] of Object.entries(tenants)) {
      const most =
        announced + Math.max(0, (before[tenantId]?.announced ?? 0) - (before[tenantId]?.counted ?? 0))
      if (counted > most) findings.push(found('key_use', 'more_than_announced', { tenantId, eventId: day }))
    }
  }
  return { findings, days: kept }
}
