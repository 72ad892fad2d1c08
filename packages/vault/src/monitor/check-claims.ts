// What others say of events, held against the log: a use of a key names the event that allowed it, a receipt promises that
// an event is going to be sealed.
import {
  AuditError,
  decodeLeaf,
  type EventAction,
  equalBytes,
  fromBase64,
  parseNote,
  parseReceipt,
} from '@auricle/audit'
import type { LogView } from '@auricle/catalog'
import { EventId, TenantId } from '@auricle/contract'
import { z } from 'zod'
import { type Candidate, found } from './finding.ts'
import type { Claim, MonitorState } from './state.ts'

/** Lines that are appended to files, of which each has a name. */
export interface LineFiles {
  list(): Promise<readonly string[]>
  /** Whole lines from a byte on, some thousand at most, and the byte after the last of them. */
  read(name: string, from: number): Promise<{ readonly lines: readonly string[]; readonly to: number }>
}

export interface ClaimParts {
  readonly watch: Pick<LogView, 'findSeal' | 'findLeaf'>
  /** Beside a local keyring, or exported from Cloud Audit Logs. */
  readonly keyUses: LineFiles
  /** Lines of logs in which receipts stand. */
  readonly receipts: LineFiles
  readonly now: () => Date
  /** How long an event may take until it is sealed, in milliseconds. */
  readonly mergeDelayMs: number
}

/** Events that announce that a recording's key is going to be used. */
const announcing: ReadonlySet<EventAction> = new Set([
  'recording.played',
  'recording.exported',
  'recording.shown',
  'recording.archived',
  'recording.replicated',
  'vault.verified',
  'key.used',
])

export const announcesUse = (action: EventAction): boolean => announcing.has(action)

/** Claims that wait at once; more are read when these are settled. */
const waitingMost = 10_000

/** Reads what was said since, and looks for the events of all that is still open. */
export async function checkClaims(
  parts: ClaimParts,
  state: MonitorState,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<{ readonly findings: readonly Candidate[]; readonly state: MonitorState }> {
  const now = parts.now()
  const files = { ...state.files }
  const uses = structuredClone(state.uses)
  const claims = [...state.claims]
  for (const [kind, source] of [
    ['use', parts.keyUses],
    ['receipt', parts.receipts],
  ] as const) {
    for (const name of await source.list()) {
      if (claims.length >= waitingMost) break
      const key = `${kind} ${name}`
      const { lines, to } = await source.read(name, files[key] ?? 0)
      files[key] = to
      for (const line of lines) {
        const said = kind === 'use' ? readUse(line, now) : readReceipt(line, now)
        if (said === null) continue
        if ('kind' in said) claims.push(said)
        else countUse(uses, said)
      }
    }
  }

  const findings: Candidate[] = []
  const open: Claim[] = []
  for (const claim of claims) {
    options.signal?.throwIfAborted()
    const verdict = await settle(parts, claim, now, options)
    if (verdict === 'waits') open.push(claim)
    else if (verdict !== 'settled') findings.push(verdict)
  }
  return { findings, state: { ...state, files, claims: open, uses } }
}

async function settle(
  { watch, mergeDelayMs }: ClaimParts,
  claim: Claim,
  now: Date,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<'settled' | 'waits' | Candidate> {
  const { kind, tenantId, eventId, leafHash } = claim
  const about = { tenantId, eventId }
  const isLate = now.getTime() - claim.since.getTime() > mergeDelayMs
  const seal = await watch.findSeal(tenantId, eventId, options)
  if (kind === 'receipt') {
    if (seal === null) return isLate ? found('receipt_missing', 'not_sealed', about) : 'waits'
    const isSame = leafHash !== null && equalBytes(seal.sealedHash, leafHash)
    return isSame
      ? 'settled'
      : found('receipt_missing', 'another_leaf', { ...about, seq: seal.seq, year: seal.year })
  }
  const leaf = await watch.findLeaf(tenantId, eventId, options)
  if (leaf === null) return isLate ? found('key_use', 'no_event', about) : 'waits'
  return announcesUse(decodeLeaf(leaf).action) ? 'settled' : found('key_use', 'no_intent', about)
}

/** A line beside a local keyring. */
const LocalUse = z.object({ tenant: TenantId, event: EventId })
/** An entry of Cloud Audit Logs, as sinks export it. */
const CloudUse = z.object({
  timestamp: z.iso.datetime(),
  protoPayload: z.object({ methodName: z.string(), resourceName: z.string() }),
})

interface CountedUse {
  readonly day: string
  readonly tenantId: string
}

function readUse(line: string, now: Date): Claim | CountedUse | null {
  const entry = parseJson(line)
  const local = LocalUse.safeParse(entry)
  if (local.success) {
    const { tenant: tenantId, event: eventId } = local.data
    return { kind: 'use', tenantId, eventId, leafHash: null, since: now }
  }
  const cloud = CloudUse.safeParse(entry)
  if (!cloud.success || !/\bDecrypt$/.test(cloud.data.protoPayload.methodName)) return null
  const { timestamp, protoPayload } = cloud.data
  const [, tenantId] =
    /\/cryptoKeys\/tenants-(ten_[0-9a-z]{26})-recordings(?:\/|$)/.exec(protoPayload.resourceName) ?? []
  return tenantId === undefined ? null : { day: timestamp.slice(0, '2026-01-01'.length), tenantId }
}

/** The receipt in a line of a log: its field `receipt` is the note in base64. */
function readReceipt(line: string, now: Date): Claim | null {
  const entry = z.object({ receipt: z.string() }).safeParse(parseJson(line))
  const bytes = entry.success ? fromBase64(entry.data.receipt) : null
  if (bytes === null) return null
  try {
    const { tenantId, eventId, leafHash } = parseReceipt(parseNote(new TextDecoder().decode(bytes)).text)
    return { kind: 'receipt', tenantId, eventId, leafHash, since: now }
  } catch (error) {
    if (error instanceof AuditError) return null
    throw error
  }
}

function countUse(uses: MonitorState['uses'], { day, tenantId }: CountedUse): void {
  const ofDay = uses[day] ?? {}
  const { announced, counted } = ofDay[tenantId] ?? { announced: 0, counted: 0 }
  uses[day] = { ...ofDay, [tenantId]: { announced, counted: counted + 1 } }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
