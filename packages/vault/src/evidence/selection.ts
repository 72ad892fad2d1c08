// What a bundle of evidence is asked about, and which events that means: the same rule as the verifier's.
import type { AuditEvent } from '@auricle/audit'
import type { EvidenceSelection } from '@auricle/contract'

export function isSelected(
  { patient, user, recording, from, to }: EvidenceSelection,
  event: AuditEvent,
): boolean {
  return (
    (patient === undefined || event.patients?.includes(patient) === true) &&
    (user === undefined || event.actor.id === user) &&
    (recording === undefined || event.object?.id === recording) &&
    (from === undefined || event.at >= from) &&
    (to === undefined || event.at < to)
  )
}

/** As a bundle's header names it: in this order, times with milliseconds, as events have them. */
export function spellSelection({ patient, user, recording, from, to }: EvidenceSelection): EvidenceSelection {
  return {
    ...(patient === undefined ? {} : { patient }),
    ...(user === undefined ? {} : { user }),
    ...(recording === undefined ? {} : { recording }),
    ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
    ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
  }
}
