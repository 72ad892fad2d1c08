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
      const left = [...failuresOf]
      const of = new Map<string, number>()
      const stored: number[] = []
      let told = 0
      const queue = createEventQueue({
        pauseMs: 0,
        onFailure: () => told++,
        async append({ id }) {
          const index = of.get(id) ?? assert.fail()
          await turn()
          if ((left[index] ?? 0) > 0) {
            left[index] = (left[index] ?? 0) - 1
            throw new Error('the disk is full')
          }
          stored.push(index)
        },
      })
      for (const index of failuresOf.keys()) {
        queue.add(async () => {
          const made = await record()
          // No id is used twice: the log may have the first although it seemed to fail.
          assert.ok(!of.has(made.id))
          of.set(made.id, index)
          return made
        })
      }
      assert.equal(await queue.flush(patienceMs), 0)
      assert.deepEqual(
        stored.sort((a, b) => a - b),
        [...failuresOf.keys()],
      )
      assert.equal(
        told,
        failuresOf.reduce((sum, failures) => sum + failures, 0),
      )
    }),
    { numRuns: 20 },
  )
})

test('one that cannot be made is told, and holds up no other', async () => {
  const told: unknown[] = []
  const stored: AuditRecord[] = []
  const queue = createEventQueue({
    append: async made => stored.push(made),
    onFailure: error => told.push(error),
  })
  const broken = new Error('not to be encoded')
  queue.add(() => Promise.reject(broken))
  queue.add(record)
  assert.equal(await queue.flush(patienceMs), 0)
  assert.deepEqual([told, stored.length], [[broken], 1])
})

test('a stop does not wait for ever, and says how many are lost', async () => {
  const queue = createEventQueue({
    append: () => Promise.reject(new Error('the disk is full')),
    onFailure: () => undefined,
    pauseMs: patienceMs,
  })
  for (let count = 0; count < 3; count++) queue.add(record)
  assert.equal(await queue.flush(20), 3)
})
