// Holds as the API and the command show them.
import type { Covered, HeldRow, HoldDetailRow, HoldRow } from '@auricle/catalog'
import {
  type HeldRecording,
  type HoldChange,
  HoldClause,
  type HoldDetail,
  type HoldView,
} from '@auricle/contract'

export function holdView(row: HoldRow): HoldView {
  const { id, matter, placedAt, placedBy, release, recordings, clauses, custodians, acknowledged } = row
  return {
    id,
    state: release === null ? 'active' : 'released',
    matter,
    placedAt: placedAt.toISOString(),
    placedBy,
    release:
      release === null ? null : { at: release.at.toISOString(), by: release.by, reason: release.reason },
    ...{ recordings, clauses, custodians, acknowledged },
  }
}

export function holdDetail(row: HoldDetailRow): HoldDetail {
  return {
    ...holdView(row),
    notice: row.notice,
    scope: row.scope.map(({ number, shown, addedAt, addedBy }) => ({
      number,
      clause: HoldClause.parse(JSON.parse(shown)),
      addedAt: addedAt.toISOString(),
      addedBy,
    })),
    people: row.people.map(({ id, name, addedAt, acknowledgedAt }) => ({
      id,
      name,
      addedAt: addedAt.toISOString(),
      acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
    })),
    trail: row.trail.map(({ at, what, by, count }) => ({ at: at.toISOString(), what, by, count })),
  }
}

export const holdChange = (
  row: HoldRow,
  { covered, destroying, destroyed, destroyedCount }: Covered,
): HoldChange => ({
  hold: holdView(row),
  covered,
  destroying: [...destroying],
  destroyed: [...destroyed],
  destroyedCount,
})

export const heldRecording = ({ id, coveredAt, coveredBy, releasedAt, state }: HeldRow): HeldRecording => ({
  id,
  coveredAt: coveredAt.toISOString(),
  coveredBy,
  releasedAt: releasedAt?.toISOString() ?? null,
  state,
})
