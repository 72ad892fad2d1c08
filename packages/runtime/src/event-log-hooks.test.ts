// What a process tells of its audit log: a number for each flush, a line where a sink failed, and every receipt whole.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEventId, newTenantId } from '@auricle/contract'
import { type CapturedLog, captureLog } from '../../../test/captured-log.ts'
import { eventLogHooks } from './event-log-hooks.ts'
import { logReceipts } from './log-receipts.ts'
import { createMetrics } from './metrics.ts'

const linesOf = ({ lines }: CapturedLog): readonly Record<string, unknown>[] =>
  lines.map(line => JSON.parse(line))

test('each flush is counted by what became of it; what was slow or not in the database is a line', async () => {
  const log = captureLog()
  const metrics = createMetrics()
  const { onFlush, onTrouble } = eventLogHooks({ logger: log.logger, metrics })
  onFlush({ sink: 'database', durationMs: 3 })
  assert.equal(linesOf(log).length, 0)
  onFlush({ sink: 'database', durationMs: 250 })
  onFlush({ sink: 'store', durationMs: 40 })
  onFlush({ sink: 'none', durationMs: 2_000 })
  onTrouble(new Error('not a word of this'))
  assert.deepEqual(
    linesOf(log).map(line => [line['outcome'], line['durationMs']]),
    [
      ['durable', 250],
      ['late', 40],
      ['failed', 2_000],
      [undefined, undefined],
    ],
  )
  const text = await metrics.render()
  for (const [outcome, count] of [
    ['durable', 2],
    ['late', 1],
    ['failed', 1],
  ]) {
    assert.ok(text.includes(`auricle_audit_append_duration_seconds_count{outcome="${outcome}"} ${count}\n`))
  }
})

test('a receipt stands in a line of its own, whole, until nobody listens any more', () => {
  const log = captureLog()
  let give: (receipt: { tenantId: string; eventId: string; note: string }) => void = () => assert.fail()
  let isHeard = true
  const writer = {
    onReceipt(listener: typeof give) {
      give = listener
      return {
        [Symbol.dispose]() {
          isHeard = false
        },
      }
    },
  }
  const listening = logReceipts({ writer, logger: log.logger })
  const [tenantId, eventId] = [newTenantId(), newEventId()]
  const note = `auricle-receipt/1\n${tenantId}\n${eventId}\n${'A'.repeat(43)}=\n2026-05-01T12:00:00.000Z\n\n— x ${'A'.repeat(92)}\n`
  give({ tenantId, eventId, note })
  const [line] = linesOf(log)
  assert.deepEqual([line?.['tenantId'], line?.['eventId']], [tenantId, eventId])
  assert.equal(Buffer.from(String(line?.['receipt']), 'base64').toString(), note)
  listening[Symbol.dispose]()
  assert.ok(!isHeard)
})
