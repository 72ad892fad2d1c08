// Reads leaves in their order: each once as it is sealed, and then all of them over and over. What they count for is
// counted the first time; whether the rows still say the same is looked at every time.
import { type AuditEvent, decodeLeaf, equalBytes, leafHash, tileWidth } from '@auricle/audit'
import type { LogView, WatchedLeaf } from '@auricle/catalog'
import { checkLeaf, privateGone } from './check-leaf.ts'
import { countEvent, noWriters, type TenantWriters } from './count-writers.ts'
import { isTileOfSeals } from './database-tiles.ts'
import { type Candidate, found } from './finding.ts'
import { type Published, placeOfLog } from './published.ts'
import type { LogState, MonitorState } from './state.ts'

/** Beginnings of digests of sealed private parts, by log and number; zeros where none was seen. */
export interface DigestStore {
  read(origin: string, from: number, count: number): Promise<Uint8Array>
  write(origin: string, from: number, digests: Uint8Array): Promise<void>
}

export const digestBytes = 16

export interface LeavesParts {
  readonly watch: Pick<LogView, 'readLeaves' | 'readTile' | 'readHashes' | 'findDrops'>
  readonly published: Published
  readonly digests: DigestStore
  /** How long the event may take that says that a private part was dropped. */
  readonly dropMs: number
  /** Told of every event that was read for the first time. */
  readonly onEvent: (event: AuditEvent) => void
}

interface Options {
  readonly signal?: AbortSignal | undefined
}

interface Result {
  readonly findings: readonly Candidate[]
  readonly state: MonitorState
}

const batchLeaves = 2_048

/**
 * Reads what was sealed since, up to the size that was seen, at most `most` leaves. The logs of a tenant come in the order
 * of their years, since writers go on over the end of one.
 */
export async function followLeaves(
  parts: LeavesParts,
  state: MonitorState,
  most: number,
  options: Options,
): Promise<Result> {
  const logs = { ...state.logs }
  const writers: Record<string, TenantWriters> = { ...state.writers }
  const findings: Candidate[] = []
  let left = most
  const inOrder = Object.entries(state.logs).sort(([, a], [, b]) => a.year - b.year)
  const behind = new Set<string>()
  for (const [origin, log] of inOrder) {
    let followed = log.followed
    const size = log.seen?.size ?? 0
    while (followed < size && left > 0 && !behind.has(log.tenantId)) {
      options.signal?.throwIfAborted()
      const to = Math.min(size, followed + Math.min(batchLeaves, left))
      const rows = await parts.watch.readLeaves(log, followed, to, options)
      findings.push(...missingSeals(log, rows, followed, to))
      const digests = new Uint8Array((to - followed) * digestBytes)
      for (const row of rows) {
        noteDigest(digests, row.seq - followed, row.event?.privateDigest ?? null)
        const checked = checkLeaf(log, row, null)
        findings.push(...checked.findings)
        if (checked.lacksPrivate) findings.push(...(await lacking(parts, log, row, options)))
        if (checked.event === null) continue
        const place = { tenantId: log.tenantId, year: log.year, seq: row.seq }
        const counted = countEvent(writers[log.tenantId] ?? noWriters, checked.event, place)
        writers[log.tenantId] = counted.state
        findings.push(...counted.findings)
        parts.onEvent(checked.event)
      }
      await parts.digests.write(origin, followed, digests)
      left -= to - followed
      followed = to
    }
    if (followed < size) behind.add(log.tenantId)
    logs[origin] = { ...log, followed }
  }
  return { findings, state: { ...state, logs, writers } }
}

/** Reads the next blocks of each log again: `share` of it each time, and `spare` leaves more where there are so many. */
export async function scanLeaves(
  parts: LeavesParts,
  state: MonitorState,
  { share, spare }: { readonly share: number; readonly spare: number },
  options: Options,
): Promise<Result> {
  const logs = { ...state.logs }
  const findings: Candidate[] = []
  let left = spare
  for (const [origin, log] of Object.entries(state.logs)) {
    const { scanned: start, followed } = log
    const end = Math.min(followed, start + Math.ceil(followed * share) + left)
    let scanned = start
    while (scanned < end) {
      options.signal?.throwIfAborted()
      const to = Math.min(followed, scanned + tileWidth)
      findings.push(...(await scanBlock(parts, origin, log, { from: scanned, to }, options)))
      scanned = to
    }
    left = Math.max(0, left - (scanned - start))
    // At the end it begins anew: what is added meanwhile would else keep it there.
    logs[origin] = { ...log, scanned: scanned < followed ? scanned : 0 }
  }
  return { findings, state: { ...state, logs } }
}

/** `from` is the first of a block of 256. */
async function scanBlock(
  parts: LeavesParts,
  origin: string,
  log: LogState,
  { from, to }: { readonly from: number; readonly to: number },
  options: Options,
): Promise<readonly Candidate[]> {
  const rows = await parts.watch.readLeaves(log, from, to, options)
  const known = await parts.digests.read(origin, from, to - from)
  const findings: Candidate[] = [...missingSeals(log, rows, from, to)]
  for (const row of rows) {
    const offset = (row.seq - from) * digestBytes
    const digest = known.subarray(offset, offset + digestBytes)
    const { findings: ofLeaf, lacksPrivate } = checkLeaf(
      log,
      row,
      digest.every(byte => byte === 0) ? null : digest,
    )
    findings.push(...ofLeaf)
    if (lacksPrivate) findings.push(...(await lacking(parts, log, row, options)))
  }
  const isFull = to - from === tileWidth
  const index = from / tileWidth
  const about = { tenantId: log.tenantId, year: log.year, seq: from }
  const hashes = rows.map(({ sealedHash }) => sealedHash)
  if (isFull && !(await isTileOfSeals(parts.watch, log, index, hashes, options)))
    findings.push(found('silent_edit', 'tile', about))
  findings.push(...(await comparePublished(parts.published, log, rows, from)))
  return findings
}

/** As far as the block is published: in a bundle of its own width, which there is for every state that was published. */
async function comparePublished(
  published: Published,
  log: LogState,
  rows: readonly WatchedLeaf[],
  from: number,
): Promise<readonly Candidate[]> {
  const width = Math.min(tileWidth, (log.anchored?.size ?? 0) - from)
  if (width <= 0) return []
  const about = { tenantId: log.tenantId, year: log.year, seq: from }
  const index = from / tileWidth
  const place = placeOfLog(log)
  const [tile, leaves] = await Promise.all([
    published.tile(place, { level: 0, index, width }),
    published.entries(place, index, width),
  ])
  if (tile === null || leaves === null || leaves.length !== width)
    return [found('truncation', 'published_gone', about)]
  const findings: Candidate[] = []
  for (const { seq, eventId, sealedHash } of rows) {
    const at = seq - from
    const leaf = leaves[at]
    if (leaf === undefined) continue
    const hash = tile.subarray(at * sealedHash.length, (at + 1) * sealedHash.length)
    if (!equalBytes(hash, sealedHash) || !equalBytes(leafHash(leaf), sealedHash))
      findings.push(found('silent_edit', 'published', { ...about, seq, eventId }))
  }
  return findings
}

/** Numbers of the range that have no seal: the first of each stretch. */
function missingSeals(
  { tenantId, year }: LogState,
  rows: readonly WatchedLeaf[],
  from: number,
  to: number,
): readonly Candidate[] {
  const findings: Candidate[] = []
  let expected = from
  for (const seq of [...rows.map(row => row.seq), to]) {
    if (seq > expected) findings.push(found('truncation', 'seal_gone', { tenantId, year, seq: expected }))
    expected = seq + 1
  }
  return findings
}

/** A private part may be dropped for good, and then an event says so; the column of a seal is not believed. */
async function lacking(
  { watch, dropMs }: Pick<LeavesParts, 'watch' | 'dropMs'>,
  log: LogState,
  row: WatchedLeaf,
  options: Options,
): Promise<readonly Candidate[]> {
  const leaves = await watch.findDrops(log.tenantId, row.eventId, options)
  const isDropped = leaves.some(leaf => {
    const { action, object, outcome } = decodeLeaf(leaf)
    return action === 'private_part.dropped' && outcome === 'allowed' && object?.id === row.eventId
  })
  return isDropped ? [] : [privateGone(log, row, dropMs)]
}

function noteDigest(digests: Uint8Array, index: number, digest: Uint8Array | null): void {
  if (digest !== null) digests.set(digest.subarray(0, digestBytes), index * digestBytes)
}
