// The monitor: round after round it holds the database, what is published and the witnesses against each other and
// against what it saw before. It runs under an identity of its own, and writes nothing but its own state.
import type { AuditEvent, VerifierKey } from '@auricle/audit'
import type { LogView } from '@auricle/catalog'
import { checkClaims, type LineFiles } from './check-claims.ts'
import { checkLogs, followAnchor } from './check-heads.ts'
import { checkAllUnsealed, checkCounts, checkHeartbeat, checkUnsealed } from './check-times.ts'
import { countAnnounced, judgeDays } from './check-uses.ts'
import { checkWitnesses, type WatchedWitness } from './check-witnesses.ts'
import { forgetWriters, silentWriters } from './count-writers.ts'
import { type Candidate, noteFindings, type OpenFinding } from './finding.ts'
import type { Published } from './published.ts'
import { type DigestStore, followLeaves, scanLeaves } from './read-leaves.ts'
import type { MonitorState } from './state.ts'

/** In milliseconds where nothing else is said. docs/monitor.md names them. */
export interface MonitorTimes {
  /** From the begin of one round to the next. */
  readonly roundMs: number
  /** Until an event is sealed, and a receipt kept. */
  readonly mergeDelayMs: number
  /** Until the event is sealed that says that a private part was dropped. */
  readonly dropMs: number
  /** Until what a witness signed is published. */
  readonly publishMs: number
  /** Silence of the log over all logs, and of a witness. */
  readonly heartbeatMs: number
  /** Silence of a writer that wrote. */
  readonly writerMs: number
  /** Until everything was read again. */
  readonly scanMs: number
  /** Between counts. */
  readonly countMs: number
}

export const monitorTimes: MonitorTimes = {
  roundMs: 20_000,
  mergeDelayMs: 60_000,
  dropMs: 120_000,
  publishMs: 60_000,
  heartbeatMs: 11 * 60_000,
  writerMs: 60_000,
  scanMs: 24 * 60 * 60_000,
  countMs: 60 * 60_000,
}

export interface MonitorParts {
  readonly watch: LogView
  readonly published: Published
  readonly witnesses: readonly WatchedWitness[]
  readonly anchorKeys: readonly VerifierKey[]
  readonly digests: DigestStore
  readonly keyUses: LineFiles
  readonly receipts: LineFiles
  readonly times: MonitorTimes
  readonly now: () => Date
  /** Makes the state durable. */
  readonly save: (state: MonitorState) => Promise<void>
}

export interface Round {
  /** Found in this round. */
  readonly fresh: readonly OpenFinding[]
  /** All that is open. */
  readonly open: readonly OpenFinding[]
  /** Checks that could not be made, by name. A check that is not made finds nothing, which says nothing. */
  readonly failed: readonly { readonly check: string; readonly error: unknown }[]
  readonly state: MonitorState
}

export interface Monitor {
  round(options: { readonly signal: AbortSignal }): Promise<Round>
}

/** Leaves read in one round for the first time, at most, and again, at least. */
const followedMost = 200_000
const scannedLeast = 16_384
const writerForgottenMs = 24 * 60 * 60_000
/** How far back events without a seal are looked for in each round; the counts look at all. */
const lookBackFactor = 5

type Check = (state: MonitorState) => Promise<{
  readonly findings: readonly Candidate[]
  readonly state: MonitorState
}>

export function createMonitor(parts: MonitorParts, first: MonitorState): Monitor {
  const { watch, times, now } = parts
  let state = first
  let countedAt: Date | null = null

  return {
    async round({ signal }) {
      const fresh: OpenFinding[] = []
      const failed: { check: string; error: unknown }[] = []
      const run = async (name: string, whole: boolean, check: Check) => {
        signal.throwIfAborted()
        try {
          const result = await check(state)
          const noted = noteFindings(result.state.findings, { name, whole }, result.findings, now())
          state = { ...result.state, findings: noted.open }
          fresh.push(...noted.fresh)
        } catch (error) {
          signal.throwIfAborted()
          failed.push({ check: name, error })
        }
      }
      const stateless = (check: (state: MonitorState) => Promise<readonly Candidate[]>): Check => {
        return async given => ({ findings: await check(given), state: given })
      }
      const options = { signal }

      // What is published is looked at before the database, and the witnesses after it: each may only be ahead.
      await run('anchor', false, given => followAnchor(parts, given))
      await run('logs', true, given => checkLogs(parts, given, options))
      await run('witnesses', true, given =>
        checkWitnesses({ ...parts, publishMs: times.publishMs, silenceMs: times.heartbeatMs }, given),
      )
      await run('leaves', false, given => followOnce(given, signal))
      await run('scan', false, given => {
        const share = times.roundMs / times.scanMs
        return scanLeaves(
          { ...parts, dropMs: times.dropMs, onEvent: () => undefined },
          given,
          { share, spare: scannedLeast },
          options,
        )
      })
      await run('writers', true, stateless(checkWriters))
      await run(
        'heartbeat',
        true,
        stateless(async given => checkHeartbeat(given, { now: now(), heartbeatMs: times.heartbeatMs })),
      )
      await run(
        'unsealed',
        true,
        stateless(() =>
          checkUnsealed(
            watch,
            { now: now(), unsealedMs: times.mergeDelayMs, lookBackMs: times.mergeDelayMs * lookBackFactor },
            options,
          ),
        ),
      )
      await run('claims', false, given =>
        checkClaims({ ...parts, mergeDelayMs: times.mergeDelayMs }, given, options),
      )
      await run('uses', false, async given => {
        const { findings, days } = judgeDays(given.uses, now())
        return { findings, state: { ...given, uses: days } }
      })
      if (countedAt === null || now().getTime() - countedAt.getTime() >= times.countMs) {
        countedAt = now()
        await run(
          'counts',
          true,
          stateless(async given => [
            ...(await checkCounts(watch, given, options)),
            ...(await checkAllUnsealed(watch, { now: now(), unsealedMs: times.mergeDelayMs }, options)),
          ]),
        )
      }
      await parts.save(state)
      return { fresh, open: state.findings.filter(({ foundAt }) => foundAt !== null), failed, state }
    },
  }

  async function followOnce(given: MonitorState, signal: AbortSignal) {
    let uses = given.uses
    const onEvent = (event: AuditEvent) => {
      uses = countAnnounced(uses, event)
    }
    const read = await followLeaves({ ...parts, dropMs: times.dropMs, onEvent }, given, followedMost, {
      signal,
    })
    const before = new Date(now().getTime() - writerForgottenMs)
    const writers = Object.fromEntries(
      Object.entries(read.state.writers).map(([tenantId, known]) => [tenantId, forgetWriters(known, before)]),
    )
    return { findings: read.findings, state: { ...read.state, writers, uses } }
  }

  async function checkWriters(given: MonitorState): Promise<readonly Candidate[]> {
    const silence = { now: now(), silenceMs: times.writerMs, forgetMs: writerForgottenMs }
    return Object.entries(given.writers).flatMap(([tenantId, known]) =>
      silentWriters(tenantId, known, silence),
    )
  }
}
