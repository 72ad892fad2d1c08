// Google's services: what our adapters cost over the bare clients, and how many calls a recording costs.
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { Row } from '../report.ts'
import { startChild } from '../system/child.ts'
import { countCalls } from './counts.ts'
import type { KeyCallsQuestion } from './key-calls.ts'
import { overheadRows } from './overhead.ts'
import { openGooglePlace } from './place.ts'
import { putSizes, timePuts } from './puts.ts'
import { openReads, rangeSizes } from './reads.ts'
import { compareWays } from './ways.ts'

export const method =
  'Our adapters and the bare clients (@google-cloud/storage, @google-cloud/kms) on the same emulated services, a process of ' +
  'their own, whose work is not in the processor times; connections stay open, everybody once a round in rotating ' +
  'order, credentials from the same metadata server. Of the client, every way that its documentation has for the size ' +
  '(save, a write stream with and without a session) is tried with its own checksum and with a native one, and the fastest ' +
  'of each clock counts; the bytes come to everybody at once, or to everybody in pieces of 256 KiB. Puts create only, with retention and metadata, and what the service holds is computed again; ' +
  'what is read is compared. The calls are counted by the emulators while the product itself runs on them: ten ' +
  'recordings delivered, archived, copied, and heard twice each.'

const overhead = { atMost: 1.1 }

export async function runGoogle(): Promise<readonly Row[]> {
  // The client's read streams add listeners to a stream they share, and Node would say so with every run.
  const listenersMost = EventEmitter.defaultMaxListeners
  EventEmitter.defaultMaxListeners = 0
  try {
    return [...(await measureOverhead()), ...(await countCalls())]
  } finally {
    EventEmitter.defaultMaxListeners = listenersMost
  }
}

async function measureOverhead(): Promise<readonly Row[]> {
  const rows: Row[] = []
  await using place = await openGooglePlace()
  for (const size of putSizes) {
    const samples = await timePuts(place, size)
    const targets = { wall: overhead, processor: overhead }
    rows.push(...overheadRows(`put ${size.title}, against the bare client`, samples, targets))
  }
  const timeReads = await openReads(place)
  for (const size of rangeSizes) {
    const samples = await timeReads(size)
    const targets = { firstByte: overhead, wall: overhead, processor: overhead }
    rows.push(...overheadRows(`read ${size.title} of 64 MiB, against the bare client`, samples, targets))
  }
  rows.push(...(await compareWays(place)))
  const started = await startChild(join(import.meta.dirname, 'key-calls.ts'), [], place.env)
  await using keysClient = started.child
  const { keysEndpoint } = place
  rows.push(...(await keysClient.ask<readonly Row[]>({ keysEndpoint } satisfies KeyCallsQuestion)))
  return rows
}
