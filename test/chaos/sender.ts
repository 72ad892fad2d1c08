// The PBXs of a chaos run: they deliver what the plan says, and try again until they are told that it is taken.
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Receipt } from '@auricle/contract'
import type { Clinic } from '../harness/clinic.ts'
import { deliver } from '../harness/delivery.ts'
import { type Answer, CutOff } from '../harness/http-client.ts'
import { makeWave } from '../harness/samples.ts'
import type { PlannedRecording, Task } from './plan.ts'

const attemptsMost = 80
const firstPauseMs = 100
const pauseMostMs = 2_000
const attemptTimeoutMs = 180_000

export interface Accepted {
  readonly recording: PlannedRecording
  readonly sha256: string
  readonly bytes: number
  /** Every answer of success it got; all the same if all is well. */
  readonly receipts: Receipt[]
}

export interface Sender {
  run(task: Task): Promise<void>
  readonly accepted: ReadonlyMap<string, Accepted>
  /** What went otherwise than it should, in words. */
  readonly surprises: readonly string[]
  /** Answers by status; `broken` where the connection ended without one. */
  readonly answers: ReadonlyMap<string, number>
  readonly sentBytes: number
  readonly retries: number
}

export function bodyOf({ sample, sizeBytes, label }: PlannedRecording): Buffer {
  return sizeBytes === null || sample.wave === null ? sample.bytes : makeWave(sample.wave, sizeBytes, label)
}

export function createSender(clinic: Clinic, ingestUrl: string, audioOrigin: string): Sender {
  const accepted = new Map<string, Accepted>()
  const surprises: string[] = []
  const answers = new Map<string, number>()
  const taken = new Map<string, PromiseWithResolvers<void>>()
  let sentBytes = 0
  let retries = 0

  const takenOf = (recording: PlannedRecording) => {
    const known = taken.get(recording.sourceId) ?? Promise.withResolvers<void>()
    taken.set(recording.sourceId, known)
    return known
  }

  const attempt = async (
    recording: PlannedRecording,
    audio: Buffer,
    { cutAt = null, forged = false }: { readonly cutAt?: number | null; readonly forged?: boolean } = {},
  ): Promise<Answer | null> => {
    const { way, sourceId, sample, index, from, fromName } = recording
    const extension = sample.file.split('.').at(-1) ?? ''
    if (way !== 'url') sentBytes += Math.round(audio.length * (cutAt ?? 1))
    const answer = await deliver(way, {
      ingestUrl,
      point: way === 'upload' ? clinic.upload : clinic.standard,
      sourceId,
      facts: {
        kind: index % 2 === 0 ? 'voicemail' : 'recording',
        mailbox: index % 3 === 0 ? clinic.mailbox : null,
        from,
        from_name: fromName,
        started_at: new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString(),
      },
      audio,
      contentType: sample.contentType,
      fileName: `${sourceId}.${extension}`,
      audioUrl: `${audioOrigin}/${index}`,
      timeoutMs: attemptTimeoutMs,
      cutAt,
      forged,
    }).catch((error: unknown) => {
      if (!(error instanceof Error)) throw error
      return error instanceof CutOff ? undefined : null
    })
    const name = answer === undefined ? 'cut off by us' : answer === null ? 'broken' : String(answer.status)
    answers.set(name, (answers.get(name) ?? 0) + 1)
    return answer ?? null
  }

  /** Until an answer that is neither a broken connection nor a failure of the server. */
  const insist = async (
    recording: PlannedRecording,
    audio: Buffer,
    options?: Parameters<typeof attempt>[2],
  ): Promise<Answer | null> => {
    for (let count = 0; count < attemptsMost; count++) {
      const answer = await attempt(recording, audio, options)
      if (answer !== null && answer.status < 500) return answer
      retries++
      await delay(Math.min(firstPauseMs * 2 ** count, pauseMostMs))
    }
    surprises.push(`${recording.sourceId}: gave up after ${attemptsMost} attempts`)
    return null
  }

  const deliverWhole = async (recording: PlannedRecording): Promise<void> => {
    const audio = bodyOf(recording)
    const answer = await insist(recording, audio)
    if (answer === null) return
    const receipt = answer.status === 200 ? Receipt.safeParse(JSON.parse(answer.body.toString())) : null
    if (receipt?.success !== true) {
      surprises.push(`${recording.sourceId} by ${recording.way}: ${answer.status} ${answer.body.toString()}`)
      return
    }
    const known = accepted.get(recording.sourceId) ?? {
      recording,
      sha256: createHash('sha256').update(audio).digest('hex'),
      bytes: audio.length,
      receipts: [],
    }
    known.receipts.push(receipt.data)
    accepted.set(recording.sourceId, known)
    takenOf(recording).resolve()
  }

  const expectRefusal = async (
    recording: PlannedRecording,
    audio: Buffer,
    status: number,
    options?: Parameters<typeof attempt>[2],
  ): Promise<void> => {
    const answer = await insist(recording, audio, options)
    if (answer !== null && answer.status !== status) {
      surprises.push(`${recording.sourceId}: expected ${status} and got ${answer.status}`)
    }
  }

  const run = async (task: Task): Promise<void> => {
    const { recording } = task
    switch (task.type) {
      case 'deliver':
        if (recording.repeat === 'after-failure') await attempt(recording, bodyOf(recording), { cutAt: 0.5 })
        if (recording.repeat === 'together')
          await Promise.all([deliverWhole(recording), deliverWhole(recording)])
        else await deliverWhole(recording)
        // Whoever waits for it must not wait for ever where it was refused.
        takenOf(recording).resolve()
        return
      case 'again':
        await deliverWhole(recording)
        return
      case 'conflict': {
        await takenOf(recording).promise
        const other = bodyOf(recording).map((byte, at) => (at > 1_000 ? byte ^ 1 : byte))
        await expectRefusal(recording, Buffer.from(other), 409)
        return
      }
      case 'forged':
        await expectRefusal(recording, bodyOf(recording), 401, { forged: true })
        return
      case 'cut': {
        const answer = await attempt(recording, bodyOf(recording), { cutAt: task.cutAt })
        if (answer !== null && answer.status < 300) surprises.push(`${recording.sourceId}: cut off and taken`)
        return
      }
      default:
        task satisfies never
    }
  }

  return {
    run,
    accepted,
    surprises,
    answers,
    get sentBytes() {
      return sentBytes
    },
    get retries() {
      return retries
    },
  }
}
