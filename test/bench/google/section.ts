// Google's services: what our adapters cost over the bare clients, and how many calls a recording costs.
import { join } from 'node:path'
import type { Row } from '../report.ts'
import { startChild } from '../system/child.ts'
import type { KeyCallsQuestion } from './key-calls.ts'
import { overheadRows } from './overhead.ts'
import { openGooglePlace } from './place.ts'
import { putSizes, timePuts } from './puts.ts'
import { openReads, rangeSizes } from './reads.ts'

export const method = 'x'

const overhead = { atMost: 1.1 }

export async function runGoogle(): Promise<readonly Row[]> {
  const rows: Row[] = []
  {
    await using place = await openGooglePlace()
    for (const size of putSizes) {
      const samples = await timePuts(place, size)
      rows.push(
        ...overheadRows(`put ${size.title}, against the bare client`, samples, {
          wall: overhead,
          processor: overhead,
        }),
      )
    }
    const timeReads = await openReads(place)
    for (const size of rangeSizes) {
      const samples = await timeReads(size)
      rows.push(
        ...overheadRows(`read ${size.title} of 64 MiB, against the bare client`, samples, {
          firstByte: overhead,
          wall: overhead,
          processor: overhead,
        }),
      )
    }
    const started = await startChild(join(import.meta.dirname, 'key-calls.ts'), [], place.env)
    await using keysClient = started.child
    const { keysEndpoint } = place
    rows.push(...(await keysClient.ask<readonly Row[]>({ keysEndpoint } satisfies KeyCallsQuestion)))
  }
  return rows
}
