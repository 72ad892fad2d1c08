// The retention report out of what the database counted: figures become lines, groups get their names and their order.
import type { DestroyedLine, OverdueLine, RetentionReportRows } from '@auricle/catalog'
import {
  AgeBand,
  type DestroyedRecording,
  OverdueReason,
  type OverdueRecording,
  type ReportAmount,
  type ReportDestroyed,
  type ReportDue,
  type ReportHolds,
  type ReportOverdue,
  type ReportSection,
  type ReportState,
  type ReportStates,
  type ReportStatus,
  type ReportStorage,
  type RetentionReport,
  StoragePrice,
  type TenantId,
} from '@auricle/contract'

export interface Page<Line> {
  readonly lines: readonly Line[]
  readonly nextCursor: string | null
}

export interface ReportParts {
  readonly tenantId: TenantId
  readonly asOf: Date
  readonly madeAt: Date
  readonly sections: readonly ReportSection[]
  readonly overdue: Page<OverdueLine>
  readonly destroyed: Page<DestroyedLine>
}

const bytesPerGibibyte = 1024 ** 3
const nothing: ReportAmount = { recordings: 0, bytes: 0, soundMs: 0 }

export function assembleReport(rows: RetentionReportRows, parts: ReportParts): RetentionReport {
  const { sections } = parts
  const only = <Section>(name: ReportSection, make: () => Section) =>
    sections.includes(name) ? make() : null
  return {
    tenant: { id: parts.tenantId, name: rows.tenantName },
    asOf: parts.asOf.toISOString(),
    madeAt: parts.madeAt.toISOString(),
    zone: rows.frame.zone,
    status: only('status', () => statusOf(rows)),
    due: only('due', () => dueOf(rows)),
    overdue: only('overdue', () => overdueOf(rows, parts.overdue)),
    holds: only('holds', () => holdsOf(rows)),
    destroyed: only('destroyed', () => destroyedOf(rows, parts.destroyed)),
    reconciliation: only('reconciliation', () => reconciliationOf(rows)),
    storage: only('storage', () => storageOf(rows)),
  }
}

function sumOf(amounts: readonly ReportAmount[]): ReportAmount {
  return amounts.reduce(
    (sum, { recordings, bytes, soundMs }) => ({
      recordings: sum.recordings + recordings,
      bytes: sum.bytes + bytes,
      soundMs: sum.soundMs + soundMs,
    }),
    nothing,
  )
}

// --- status ---

type StatusFigures = RetentionReportRows['status']

function statusOf({ status, ruleNames, mailboxNames }: RetentionReportRows): ReportStatus {
  const by = (name: StatusFigures[number]['by']) => status.filter(figure => figure.by === name)
  const rules = groupsOf(by('rule'), ({ rule }) => rule).map(({ key, line }) => ({
    ...line,
    rule: key === null ? null : { ...key, name: ruleNames.get(key.id) ?? '' },
  }))
  const kinds = groupsOf(by('kind'), ({ kind }) => kind).flatMap(({ key, line }) =>
    key === null ? [] : [{ ...line, kind: key }],
  )
  const mailboxes = groupsOf(by('mailbox'), ({ mailboxId }) => mailboxId).map(({ key, line }) => ({
    ...line,
    mailbox: key === null ? null : { id: key, name: mailboxNames.get(key) ?? '' },
  }))
  const ages = groupsOf(by('age'), ({ age }) => age).flatMap(({ key, line }) =>
    key === null ? [] : [{ ...line, age: key }],
  )
  return {
    total: lineOf(by('all')),
    rules: rules.toSorted(
      (a, b) =>
        nullsLast(a.rule, b.rule) ||
        compare(a.rule?.name, b.rule?.name) ||
        compare(a.rule?.id, b.rule?.id) ||
        (a.rule?.version ?? 0) - (b.rule?.version ?? 0),
    ),
    kinds: kinds.toSorted((a, b) => compare(a.kind, b.kind)),
    mailboxes: mailboxes.toSorted(
      (a, b) =>
        nullsLast(a.mailbox, b.mailbox) ||
        compare(a.mailbox?.name, b.mailbox?.name) ||
        compare(a.mailbox?.id, b.mailbox?.id),
    ),
    ages: ages.toSorted((a, b) => AgeBand.options.indexOf(a.age) - AgeBand.options.indexOf(b.age)),
  }
}

function groupsOf<Key>(figures: StatusFigures, keyOf: (figure: StatusFigures[number]) => Key) {
  const groups = Map.groupBy(figures, figure => JSON.stringify(keyOf(figure)))
  return [...groups.values()].flatMap(group => {
    const [first] = group
    return first === undefined ? [] : [{ key: keyOf(first), line: lineOf(group) }]
  })
}

function lineOf(figures: StatusFigures): ReportAmount & { states: ReportStates } {
  const of = (wanted: ReportState) =>
    figures.reduce((sum, { state, recordings }) => sum + (state === wanted ? recordings : 0), 0)
  return {
    ...sumOf(figures),
    states: {
      held: of('held'),
      permanent: of('permanent'),
      undecided: of('undecided'),
      waiting: of('waiting'),
      unruled: of('unruled'),
      kept: of('kept'),
      due: of('due'),
    },
  }
}

const compare = (a: string | undefined, b: string | undefined) =>
  (a ?? '') < (b ?? '') ? -1 : a === b ? 0 : 1
const nullsLast = (a: object | null, b: object | null) => Number(a === null) - Number(b === null)

// --- the other sections ---

/** Past and coming months share the one of the report's instant. */
const thisMonth = ({ frame }: RetentionReportRows) => (frame.months.length - 1) / 2

function dueOf(rows: RetentionReportRows): ReportDue {
  const months = rows.frame.months.slice(thisMonth(rows))
  return {
    months: months.map((month, index) => {
      const due = rows.due.filter(figure => figure.month === index)
      const of = (disposal: 'automatic' | 'review') =>
        sumOf(due.filter(figure => !figure.isHeld && figure.disposal === disposal))
      return {
        month,
        automatic: of('automatic'),
        review: of('review'),
        held: sumOf(due.filter(({ isHeld }) => isHeld)),
      }
    }),
  }
}

function overdueOf({ overdue }: RetentionReportRows, page: Page<OverdueLine>): ReportOverdue {
  const reasons = overdue.map(({ since, ...figure }) => ({ ...figure, since: since.toISOString() }))
  const order = OverdueReason.options
  return {
    total: sumOf(overdue),
    reasons: reasons.toSorted((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason)),
    recordings: page.lines.map(overdueLine),
    nextCursor: page.nextCursor,
  }
}

const overdueLine = (line: OverdueLine): OverdueRecording => ({
  recording: line.recordingId,
  mailbox: line.mailboxId,
  rule: line.rule,
  keepUntil: line.keepUntil.toISOString(),
  dueAt: line.dueAt?.toISOString() ?? null,
  reason: line.reason,
  error: line.error,
  holds: [...line.holdIds],
  disposition: line.dispositionId,
})

function holdsOf({ status, holds }: RetentionReportRows): ReportHolds {
  return {
    total: sumOf(status.filter(({ by, state }) => by === 'all' && state === 'held')),
    holds: holds.map(({ id, placedAt, ...figure }) => ({
      ...figure,
      hold: id,
      placedAt: placedAt.toISOString(),
    })),
  }
}

function destroyedOf(rows: RetentionReportRows, page: Page<DestroyedLine>): ReportDestroyed {
  const gone = rows.storage.filter(({ destroyed }) => destroyed !== null)
  const months = rows.frame.months.slice(0, thisMonth(rows) + 1)
  return {
    total: sumOf(gone),
    certified: rows.certified,
    earlier: sumOf(gone.filter(({ destroyed }) => destroyed === 0)),
    months: months.map((month, index) => ({
      month,
      ...sumOf(gone.filter(({ destroyed }) => destroyed === index + 1)),
    })),
    recordings: page.lines.map(destroyedLine),
    nextCursor: page.nextCursor,
  }
}

const destroyedLine = (line: DestroyedLine): DestroyedRecording => ({
  recording: line.recordingId,
  destroyedAt: line.destroyedAt.toISOString(),
  rule: line.rule,
  disposition: line.dispositionId,
  certificate:
    line.certificate === null
      ? null
      : {
          id: line.certificate.id,
          issuedAt: line.certificate.issuedAt?.toISOString() ?? null,
          lastCopyAt: line.certificate.lastCopyAt.toISOString(),
        },
})

function reconciliationOf({ reconciled }: RetentionReportRows): RetentionReport['reconciliation'] {
  if (reconciled === null) return { run: null }
  const { startedAt, endedAt, findings, ...run } = reconciled
  return {
    run: {
      ...run,
      startedAt: startedAt.toISOString(),
      endedAt: endedAt.toISOString(),
      findings: [...findings],
    },
  }
}

function storageOf(rows: RetentionReportRows): ReportStorage {
  const price = StoragePrice.safeParse(rows.storagePrice).data ?? null
  const months = rows.frame.months.slice(0, thisMonth(rows) + 1)
  return {
    price,
    months: months.map((month, index) => {
      const number = index + 1
      const bytesOf = (is: (figure: RetentionReportRows['storage'][number]) => boolean) =>
        sumOf(rows.storage.filter(is)).bytes
      const isThere = ({ destroyed }: { readonly destroyed: number | null }) =>
        destroyed === null || destroyed > number
      const bytes = bytesOf(figure => figure.added <= number && isThere(figure))
      const copiedBytes = bytesOf(
        figure => figure.copied !== null && figure.copied <= number && isThere(figure),
      )
      return {
        month,
        addedBytes: bytesOf(({ added }) => added === number),
        destroyedBytes: bytesOf(({ destroyed }) => destroyed === number),
        bytes,
        copiedBytes,
        cost: price === null ? null : costOf(bytes + copiedBytes, price),
      }
    }),
  }
}

/** Rounded to the cent; currencies that divide otherwise are not told apart. */
function costOf(bytes: number, { perGibibyteMonth }: StoragePrice): number {
  return Math.round((bytes / bytesPerGibibyte) * perGibibyteMonth * 100) / 100
}
