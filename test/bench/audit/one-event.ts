// Processor time of one event in the process that writes it, before the database has any of it.
import { canonicalJson, encodeLeaf, newRecord } from '@auricle/audit'
import { newWriterId, type TenantId } from '@auricle/contract'
import { createEventWriter } from '@auricle/vault'
import type { Row } from '../report.ts'
import { median, processorMs } from '../rounds.ts'
import { makeRecords } from './records.ts'

const rounds = 5
const warmUps = 2
const microsecondsPerMs = 1000

export async function timeOneEvent(tenantId: TenantId, count: number): Promise<readonly Row[]> {
  const records = await makeRecords(tenantId, count, null)
  const writer = createEventWriter({ name: 'bench' })
  const receipted = createEventWriter({ name: 'bench', logName: 'bench.example' })
  receipted.onReceipt(() => undefined)
  const named = { id: newWriterId(), name: 'bench', n: 1_000_000 }
  const time = (name: string, work: (record: (typeof records)[number]) => unknown): Row => {
    const tookMs: number[] = []
    for (let round = -warmUps; round < rounds; round++) {
      const startedMs = processorMs()
      for (const record of records) work(record)
      if (round >= 0) tookMs.push((processorMs() - startedMs) / count)
    }
    return {
      name: `one event: ${name}`,
      measured: median(tookMs) * microsecondsPerMs,
      unit: 'us',
      target: null,
      detail: `processor time, of ${count.toLocaleString('en-US')} in a row`,
    }
  }
  return [
    time('made sure that it can be logged', ({ event }) => newRecord(event, null)),
    time('numbered and made bytes', record => writer.stamp([record])),
    time('of that, schema and bytes', ({ event }) => encodeLeaf({ ...event, writer: named })),
    time('of that, canonical JSON', ({ event }) => canonicalJson({ ...event, writer: named })),
    time('the same, and its receipt', record => {
      for (const { acknowledge } of receipted.stamp([record])) acknowledge()
    }),
  ]
}
