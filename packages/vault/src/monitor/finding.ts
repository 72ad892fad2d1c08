// What the monitor finds, and which of its findings stand: some at once, some only where they are still so a while later.

/** docs/monitor.md says of each what it means and what is to be done. */
export const findingNames = [
  'unsealed_age',
  'fork',
  'truncation',
  'silent_edit',
  'rewritten_index',
  'missing_heartbeat',
  'counter_gap',
  'key_use',
  'receipt_missing',
] as const
export type FindingName = (typeof findingNames)[number]

export interface LogFinding {
  readonly name: FindingName
  /** A stable word: what of it. */
  readonly code: string
  /** Null where it is about the anchor, or the vault as a whole. */
  readonly tenantId: string | null
  readonly year: number | null
  readonly seq: number | null
  readonly eventId: string | null
}

export interface Candidate extends LogFinding {
  /** How long it may be so without being a finding; 0 for what can never be so. */
  readonly graceMs: number
}

export interface OpenFinding extends LogFinding {
  /** When it was first so. */
  readonly since: Date
  /** Which check saw it. */
  readonly check: string
  /** When it had been so for longer than it may; null while it has not. */
  readonly foundAt: Date | null
}

export function found(
  name: FindingName,
  code: string,
  about: Partial<Omit<LogFinding, 'name' | 'code'>> = {},
  graceMs = 0,
): Candidate {
  return { name, code, tenantId: null, year: null, seq: null, eventId: null, ...about, graceMs }
}

/** The same for the same finding, whenever it is made. */
export const findingId = ({ name, code, tenantId, year, seq, eventId }: LogFinding): string =>
  [name, code, tenantId ?? '-', year ?? '-', seq ?? '-', eventId ?? '-'].join(' ')

/** What holds while it is so, and is over when it is not. Everything else stays until somebody has looked at it. */
const passing: ReadonlySet<FindingName> = new Set(['unsealed_age', 'missing_heartbeat'])

/**
 * What is open after a check. Where the check looks at everything each time (`whole`), what passes and what was not yet
 * found is over when it is not seen any more.
 */
export function noteFindings(
  open: readonly OpenFinding[],
  check: { readonly name: string; readonly whole: boolean },
  candidates: readonly Candidate[],
  now: Date,
): { readonly open: readonly OpenFinding[]; readonly fresh: readonly OpenFinding[] } {
  const before = new Map(open.map(finding => [findingId(finding), finding]))
  const isKept = (finding: OpenFinding) =>
    !check.whole || finding.check !== check.name || (finding.foundAt !== null && !passing.has(finding.name))
  const after = new Map(open.filter(isKept).map(finding => [findingId(finding), finding]))
  const fresh: OpenFinding[] = []
  for (const { graceMs, ...finding } of candidates) {
    const id = findingId(finding)
    const known = before.get(id)
    const since = known?.since ?? now
    const isDue = now.getTime() - since.getTime() >= graceMs
    const noted = { ...finding, since, check: check.name, foundAt: known?.foundAt ?? (isDue ? now : null) }
    if (noted.foundAt !== null && (known?.foundAt ?? null) === null) fresh.push(noted)
    after.set(id, noted)
  }
  return { open: [...after.values()], fresh }
}
