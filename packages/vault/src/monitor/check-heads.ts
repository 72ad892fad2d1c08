// Whether the logs go on from what they were: the database against what is published, the published against what was seen
// before, both against the witnesses.
import {
  type AnchorLeaf,
  AuditError,
  type Bytes,
  type Checkpoint,
  createTree,
  decodeAnchorLeaf,
  decodeFrontier,
  encodeFrontier,
  equalBytes,
  leafHash,
  parseCheckpoint,
  parseLogOrigin,
  parseNote,
  type VerifierKey,
  verifyNote,
} from '@auricle/audit'
import type { LogView, WatchedLog } from '@auricle/catalog'
import { databaseRoot } from './database-tiles.ts'
import { type Candidate, found } from './finding.ts'
import { type Published, placeOfAnchor, placeOfLog, publishedLeaves } from './published.ts'
import type { AnchorState, Head, LogState, MonitorState } from './state.ts'

export interface HeadsParts {
  readonly watch: Pick<LogView, 'listLogs' | 'readHashes' | 'readTile'>
  readonly published: Published
  /** Keys of the log over all logs. Empty: its signatures are not looked at. */
  readonly anchorKeys: readonly VerifierKey[]
  readonly now: () => Date
}

/** How far the clocks of the vault and of the monitor may be apart. */
const clockMs = 5 * 60_000

interface Options {
  readonly signal?: AbortSignal | undefined
}

interface Read {
  readonly findings: readonly Candidate[]
  readonly state: MonitorState
}

/** Follows the log over all logs as it is published, leaf by leaf; what it says of the others becomes their state. */
export async function followAnchor(
  { published, anchorKeys, now }: HeadsParts,
  state: MonitorState,
): Promise<Read> {
  const before = state.anchor
  const size = await published.largestSize(placeOfAnchor, before?.size ?? 0)
  // Before anything was published there is nothing to miss.
  if (size === null) return { state, findings: before === null ? [] : [found('truncation', 'anchor_gone')] }
  const note = await published.checkpoint(placeOfAnchor, size)
  const checkpoint = note === null ? null : await readCheckpoint(note, anchorKeys)
  if (checkpoint === null || checkpoint.size !== size)
    return { state, findings: [found('fork', 'anchor_signature')] }
  if (before !== null && checkpoint.origin !== before.origin)
    return { state, findings: [found('fork', 'anchor_origin')] }
  const leaves = await publishedLeaves(published, placeOfAnchor, before?.size ?? 0, size)
  if (leaves === null) return { state, findings: [found('truncation', 'anchor_entries')] }

  const tree = createTree(before === null ? undefined : decodeFrontier(before.size, before.frontier))
  for (const leaf of leaves) tree.append(leafHash(leaf))
  if (!equalBytes(tree.root(), checkpoint.root)) return { state, findings: [found('fork', 'anchor')] }
  const anchor: AnchorState = {
    origin: checkpoint.origin,
    size,
    root: checkpoint.root,
    frontier: encodeFrontier(tree.frontier()),
    newestAt: before?.newestAt ?? null,
  }
  return takeAnchored({ ...state, anchor }, leaves, now())
}

/** The signed state in a note; null where it is not signed by one of the keys, or is none. */
async function readCheckpoint(note: string, keys: readonly VerifierKey[]): Promise<Checkpoint | null> {
  try {
    if (keys.length > 0) await verifyNote(note, keys)
    return parseCheckpoint(parseNote(note).text)
  } catch (error) {
    if (error instanceof AuditError) return null
    throw error
  }
}

function takeAnchored(state: MonitorState, leaves: readonly Bytes[], now: Date): Read {
  const logs: Record<string, LogState> = { ...state.logs }
  const findings: Candidate[] = []
  let newestAt = state.anchor?.newestAt ?? null
  for (const bytes of leaves) {
    const leaf = readAnchorLeaf(bytes)
    if (leaf === null) {
      findings.push(found('fork', 'anchor_leaf'))
      continue
    }
    const at = new Date(leaf.at)
    // The future cannot have been, and the log goes forward.
    const isAhead = at.getTime() > now.getTime() + clockMs
    const isBehind = newestAt !== null && at.getTime() < newestAt.getTime() - clockMs
    if (isAhead || isBehind) findings.push(found('missing_heartbeat', 'clock'))
    if (newestAt === null || at > newestAt) newestAt = at
    if (leaf.checkpoint === null) continue
    const { origin, size, root } = leaf.checkpoint
    const log = logs[origin] ?? newLog(origin)
    if (log === null) continue
    const about = { tenantId: log.tenantId, year: log.year, seq: size }
    const known = log.anchored
    if (known !== null && size < known.size) findings.push(found('truncation', 'anchored_smaller', about))
    else if (known !== null && size === known.size && !equalBytes(root, known.root))
      findings.push(found('fork', 'anchored_twice', about))
    else logs[origin] = { ...log, anchored: { size, root } }
  }
  const anchor = state.anchor === null ? null : { ...state.anchor, newestAt }
  return { findings, state: { ...state, anchor, logs } }
}

function readAnchorLeaf(bytes: Bytes): AnchorLeaf | null {
  try {
    return decodeAnchorLeaf(bytes)
  } catch (error) {
    if (error instanceof AuditError) return null
    throw error
  }
}

/** Null for the origin of no tenant's log. */
function newLog(origin: string): LogState | null {
  const parsed = parseLogOrigin(origin)
  if (parsed === null) return null
  return { ...emptyLog, tenantId: parsed.tenantId, year: parsed.year }
}

const emptyLog = { anchored: null, seen: null, followed: 0, scanned: 0 } as const

/** Each log of the database against what is published of it, and against what it was when it was last looked at. */
export async function checkLogs(parts: HeadsParts, state: MonitorState, options: Options): Promise<Read> {
  const rows = new Map((await parts.watch.listLogs(options)).map(row => [row.origin, row]))
  const logs: Record<string, LogState> = { ...state.logs }
  for (const { origin, tenantId, year } of rows.values()) logs[origin] ??= { ...emptyLog, tenantId, year }
  const findings: Candidate[] = []
  for (const [origin, log] of Object.entries(logs)) {
    const row = rows.get(origin)
    if (row === undefined) {
      findings.push(found('truncation', 'log_gone', { tenantId: log.tenantId, year: log.year }))
      continue
    }
    const checked = await checkLog(parts, row, log, options)
    findings.push(...checked.findings)
    logs[origin] = { ...log, seen: checked.seen }
  }
  return { findings, state: { ...state, logs } }
}

async function checkLog(
  { watch, published }: HeadsParts,
  row: WatchedLog,
  { anchored, seen }: LogState,
  options: Options,
): Promise<{ readonly findings: readonly Candidate[]; readonly seen: Head | null }> {
  const about = { tenantId: row.tenantId, year: row.year }
  const findings: Candidate[] = []
  const compare = async (head: Head, code: string) => {
    const at = { ...about, seq: head.size }
    if (row.size < head.size) findings.push(found('truncation', code, at))
    else {
      const root = await databaseRoot(watch, row, head.size, options)
      if (root === null) findings.push(found('truncation', `${code}_rows`, at))
      else if (!equalBytes(root, head.root)) findings.push(found('fork', code, at))
    }
  }
  if (anchored !== null) {
    await compare(anchored, 'published')
    const note = await published.checkpoint(placeOfLog(row), anchored.size)
    const at = { ...about, seq: anchored.size }
    if (note === null) findings.push(found('truncation', 'checkpoint_gone', at))
    else {
      const checkpoint = await readCheckpoint(note, [])
      if (checkpoint === null || !equalBytes(checkpoint.root, anchored.root))
        findings.push(found('fork', 'checkpoint', at))
    }
  }
  if (seen !== null) await compare(seen, 'seen')
  const { signed } = row
  if (signed !== null) await compare({ size: signed.size, root: new Uint8Array(signed.root) }, 'signed')
  if (findings.length > 0 || row.size === 0) return { findings, seen }
  const root = await databaseRoot(watch, row, row.size, options)
  if (root !== null) return { findings, seen: { size: row.size, root } }
  return { findings: [found('truncation', 'rows', about)], seen }
}
