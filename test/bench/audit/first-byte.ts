// What the durable event adds to the first byte of a playback: the same API with the append and without.
import { join } from 'node:path'
import { findFreePort } from '../../harness/free-port.ts'
import { bringInCalls } from '../access/calls.ts'
import { quantile } from '../access/load.ts'
import { openRangeClient, type RangeClient } from '../range/range-client.ts'
import type { Row } from '../report.ts'
import { median } from '../rounds.ts'
import { startChild } from '../system/child.ts'
import { openBenchClinic } from '../system/clinic.ts'
import { type Place, serviceEnvironment } from '../system/product.ts'
import type { ApiServer } from './api-server.ts'

const connections = 4
const rangeBytes = 64 * 1024
const warmUps = 1

export interface FirstByteCounts {
  readonly playbacks: number
  readonly rounds: number
}

export async function runFirstByte(place: Place, counts: FirstByteCounts): Promise<readonly Row[]> {
  const clinic = await openBenchClinic(place)
  const [recordingId] = await bringInCalls(place, `${clinic.upload.id}/call.wav`, clinic.upload.secret, 1)
  const start = async (append: 'yes' | 'no') => {
    const env = { AURICLE_API_PORT: String(await findFreePort()), BENCH_APPEND: append }
    const whole = { ...serviceEnvironment(place, 'api'), ...env }
    return await startChild<ApiServer>(join(import.meta.dirname, 'api-server.ts'), [], whole)
  }
  const withAppend = await start('yes')
  await using _with = withAppend.child
  const without = await start('no')
  await using _without = without.child

  const path = `/v1/recordings/${recordingId}/audio?role=original`
  const authorization = `authorization: Bearer ${clinic.clinician.token}`
  let listeners = 0
  const play = async (port: number): Promise<readonly number[]> => {
    const firstByteMs: number[] = []
    let left = counts.playbacks
    const listen = async () => {
      using client: RangeClient = await openRangeClient(port)
      while (left-- > 0) {
        // A playback is told by who listens from where: another address begins another one.
        const turn = listeners++
        const from = `x-forwarded-for: 10.${(turn >> 16) & 255}.${(turn >> 8) & 255}.${turn & 255}`
        const answer = await client.get(path, { start: 0, end: rangeBytes }, [authorization, from])
        firstByteMs.push(answer.firstByteMs)
      }
    }
    await Promise.all(Array.from({ length: connections }, listen))
    return firstByteMs
  }

  const rounds: { readonly ours: readonly number[]; readonly bare: readonly number[] }[] = []
  for (let round = -warmUps; round < counts.rounds; round++) {
    const isFirst = round % 2 === 0
    const before = isFirst ? await play(withAppend.hello.port) : null
    const bare = await play(without.hello.port)
    const ours = before ?? (await play(withAppend.hello.port))
    if (round >= 0) rounds.push({ ours, bare })
  }
  return [0.5, 0.99].map(share => {
    const sides = rounds.map(({ ours, bare }) => ({
      ours: quantile(ours, share),
      bare: quantile(bare, share),
    }))
    const shown = (side: 'ours' | 'bare') => `${median(sides.map(one => one[side])).toFixed(1)} ms`
    return {
      name: `added to the first byte of a playback by its event, p${share * 100}`,
      measured: median(sides.map(({ ours, bare }) => ours - bare)),
      unit: 'ms',
      target: null,
      detail: `${shown('ours')} against ${shown('bare')}, ${connections} connections`,
    }
  })
}
