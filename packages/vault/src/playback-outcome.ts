// What becomes of a playback: which bytes of it went out, when it is over, and the event that says so.
//
// The event of its beginning stands for the whole object; this one says how much of that was sent. A playback without it
// (the process was killed) is to be taken for one that was heard whole. It ends `idleMs` after its last byte, when it is
// cut, when its time is over and when the service stops, but never while an answer of it is on its way.
import type { AuditRecord } from '@auricle/audit'
import type { ByteRange, EventId, PatientId, Purpose, RecordingId } from '@auricle/contract'
import { auditRecord, type EventFacts } from './audit-record.ts'
import { createByteSpans } from './byte-spans.ts'

/** As many as the log takes in one event (`EventDetail`). */
const spansMost = 128

/** Codes of the system are none. */
const stableCode = /^[a-z]+(?:_[a-z]+)*$/

/** How it ended. */
export type PlaybackEnd = 'idle' | 'cut' | 'ran_out' | 'stopped' | 'failed'

/** What its event repeats of the one that it began with, and what it measures by. */
export interface PlaybackFacts {
  readonly intent: EventId
  readonly tenantId: EventFacts['tenantId']
  readonly actor: EventFacts['actor']
  readonly recordingId: RecordingId
  /** Fingerprint of the object, as the event of its beginning names it. */
  readonly version: string | null
  readonly patients: readonly PatientId[]
  readonly purpose: Purpose | null
  readonly request: string
  readonly sizeBytes: number
  /** Of the sound in those bytes; null where it is not known, or they are no sound. */
  readonly durationMs: number | null
}

export interface PlaybackOutcome {
  /** An answer is on its way; call what it gives when that has ended. */
  enter(): { sent(range: ByteRange): void; leave(): void }
  /** Something was asked of it. */
  touch(): void
  /** It takes no new answer; it is over when those under way are. */
  end(how: PlaybackEnd): void
  /** It is over now, whatever is under way. */
  close(how: PlaybackEnd): void
}

export interface OutcomeOptions {
  readonly idleMs: number
  readonly now: () => Date
  /** Nothing was asked of it and nothing sent for `idleMs`: it should end. */
  readonly onIdle: () => void
  /** Called once, when it is over. */
  readonly onOver: (make: () => Promise<AuditRecord>) => void
}

export function createPlaybackOutcome(facts: PlaybackFacts, options: OutcomeOptions): PlaybackOutcome {
  const sent = createByteSpans()
  let underWay = 0
  let ended: PlaybackEnd | null = null
  let isOver = false
  let timer: NodeJS.Timeout | undefined

  function wait(): void {
    clearTimeout(timer)
    if (isOver || ended !== null || underWay > 0) return
    timer = setTimeout(options.onIdle, options.idleMs)
    timer.unref()
  }

  function close(how: PlaybackEnd): void {
    clearTimeout(timer)
    if (isOver) return
    isOver = true
    const [bytes, spans, at] = [sent.bytes, sent.spans(spansMost), options.now()]
    options.onOver(() => outcomeRecord(facts, bytes, spans, how, at))
  }

  wait()
  return {
    enter() {
      underWay++
      clearTimeout(timer)
      let isGone = false
      return {
        sent: range => sent.add(range),
        leave() {
          if (isGone) return
          isGone = true
          underWay--
          if (underWay === 0 && ended !== null) close(ended)
          else wait()
        },
      }
    },
    touch: wait,
    end(how) {
      ended ??= how
      clearTimeout(timer)
      if (underWay === 0) close(ended)
    },
    close,
  }
}

/** Of one that opened nothing, though its beginning is in the log. */
export function failedRecord(facts: PlaybackFacts, code: string, now: Date): Promise<AuditRecord> {
  return outcomeRecord(facts, 0, [], 'failed', now, [stableCode.test(code) ? code : 'internal'])
}

function outcomeRecord(
  facts: PlaybackFacts,
  bytes: number,
  spans: readonly (readonly [number, number])[],
  how: PlaybackEnd,
  now: Date,
  more: readonly string[] = [],
): Promise<AuditRecord> {
  const { intent, tenantId, actor, recordingId, version, patients, purpose, request } = facts
  const { sizeBytes, durationMs } = facts
  const detail = {
    kind: 'served',
    intent,
    bytes,
    ranges: spans.map(([first, last]): [number, number] => [first, last]),
    milliseconds: durationMs === null ? null : millisecondsIn(bytes, sizeBytes, durationMs),
    complete: how !== 'failed' && bytes === sizeBytes,
  } as const
  return auditRecord(
    {
      tenantId,
      action: 'recording.served',
      outcome: how === 'failed' ? 'failed' : 'allowed',
      actor,
      object: { type: 'recording', id: recordingId, version },
      reasons: [how, ...more],
      purpose,
      patients,
      detail,
      request,
    },
    null,
    now,
  )
}

/** Sound of a constant bit rate lies evenly in its bytes; of another it is an estimate (docs/playback.md). */
function millisecondsIn(bytes: number, sizeBytes: number, durationMs: number): number {
  return sizeBytes === 0 ? 0 : Math.round((durationMs * bytes) / sizeBytes)
}
