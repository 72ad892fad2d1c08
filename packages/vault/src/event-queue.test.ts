// Events of what has happened: however often the log says no, each is in it in the end, once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { AuditRecord } from '@auricle/audit'
import { newTenantId } from '@auricle/contract'
import fc from 'fast-check'
import { auditRecord } from './audit-record.ts'
import { createEventQueue } from './event-queue.ts'

const tenantId = newTenantId()
const record = () =>
  auditRecord(
    {
      ...{ tenantId, action: 'recording.served', outcome: 'allowed', object: null, request: null },
      actor: { type: 'part', name: 'vault' },
    },
    null,
  )
const patienceMs = 20_000

test('whatever fails, and however often, all are in the log once and the failures are told', async () => {
  const plan = fc.array(fc.nat(3), { minLength: 1, maxLength: 150 })
  await fc.assert(
    fc.asyncProperty(plan, async failuresOf => {
      const left = new Map<string, number>()
      const stored: string[] = []
      let [told, planned] = [0, 0]
      const queue = createEventQueue({
        pauseMs: 0,
        onFailure: () => told++,
        async append({ id }: AuditRecord) {
          const failures = left.get(id) ?? 0
          left.set(id, failures - 1)
          await turn()
          if (failures > 0) throw new Error('the disk is full')
          stored.push(id)
        },
      })
      const ids: string[] = []
      for (const failures of failuresOf) {
        const made = await record()
        left.set(made.id, failures)
        planned += failures
        ids.push(made.id)
        queue.add(Promise.resolve(made))
      }
      assert.equal(await queue.flush(patienceMs), 0)
      assert.deepEqual(stored.sort(), ids.sort())
      assert.equal(told, planned)
    }),
    { numRuns: 20 },
  )
})

test('one that is there already, since its commit succeeded unheard, is done', async () => {
  const taken = Object.assign(new Error('There is one'), { name: 'CatalogError', code: 'taken' })
  const told: unknown[] = []
  const queue = createEventQueue({
    append: () => Promise.reject(taken),
    onFailure: error => told.push(error),
  })
  queue.add(record())
  assert.deepEqual([await queue.flush(patienceMs), told], [0, []])
})

test('one that cannot be made is told, and holds up no other', async () => {
  const told: unknown[] = []
  const stored: AuditRecord[] = []
  const queue = createEventQueue({
    append: async made => stored.push(made),
    onFailure: error => told.push(error),
  })
  const broken = new Error('not to be encoded')
  queue.add(Promise.reject(broken))
  queue.add(record())
  assert.equal(await queue.flush(patienceMs), 0)
  assert.deepEqual([told, stored.length], [[broken], 1])
})

test('a stop does not wait for ever, and says how many are lost', async () => {
  const queue = createEventQueue({
    append: () => Promise.reject(new Error('the disk is full')),
    onFailure: () => undefined,
    pauseMs: patienceMs,
  })
  for (let count = 0; count < 3; count++) queue.add(record())
  assert.equal(await queue.flush(20), 3)
})
