// Holds beats to the rules that a verifier goes by, also where the writer is killed: what a beat names is there.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type AuditEvent, decodeLeaf } from '@auricle/audit'
import { createCatalog, createPool } from '@auricle/catalog'
import fc from 'fast-check'
import { anEvent, createTestTenant, type TestTenant } from '../../../../test/catalog-fixture.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/postgres.ts'
import { createEventLog, type EventLogParts } from './event-log.ts'
import { createEventWriter, type EventWriter } from './event-writer.ts'
import { takeSpans } from './spans.ts'

let database: TestDatabase
let tenant: TestTenant

before(async () => {
  database = await createTestDatabase()
  const stamper = createEventWriter({ name: 'other' })
  tenant = await createTestTenant(createCatalog({ pool: database.appPool, stamper }))
})
after(() => database[Symbol.asyncDispose]())

/** In the order in which the sequencer takes them. */
async function eventsOf(name: string): Promise<readonly AuditEvent[]> {
  const { rows } = await database.superuserPool.query<{ leaf: Buffer }>(
    'select leaf from auricle.audit_event where tenant_id = $1 order by xid, id',
    [tenant.tenantId],
  )
  return rows.map(({ leaf }) => decodeLeaf(leaf)).filter(({ writer }) => writer?.name === name)
}

/** What a verifier asks of one writer's events; returns how many numbers its beats have named. */
function assertBeats(events: readonly AuditEvent[]): number {
  const seen = new Set<number>()
  let next = 0
  let isStarted = false
  let named = 0
  for (const { action, detail, writer } of events) {
    if (action === 'writer.started') isStarted = true
    if (detail?.kind === 'beat') {
      assert.ok(isStarted, 'a beat before the beginning')
      assert.equal(detail.beat, next++)
      for (const [first, last] of detail.acknowledged) {
        for (let n = first; n <= last; n++) {
          assert.ok(seen.has(n), `number ${n} is named and not there`)
          named++
        }
      }
    }
    assert.ok(!seen.has(writer?.n ?? -1))
    seen.add(writer?.n ?? -1)
  }
  return named
}

function openLog(stack: AsyncDisposableStack, writer: EventWriter, change: Partial<EventLogParts> = {}) {
  const pool = stack.adopt(createPool(database.app), opened => opened.end())
  const catalog = createCatalog({ pool, stamper: writer })
  const times = { beatMs: 20, retryMs: 20, refuseMs: 20_000 }
  return { catalog, log: stack.use(createEventLog({ catalog, writer, store: null, times, ...change })) }
}

test('while something happens a beat names it, and the last one all that is left', async () => {
  {
    await using stack = new AsyncDisposableStack()
    const { log, catalog } = openLog(stack, createEventWriter({ name: 'busy' }))
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 10 }, () => log.append(anEvent(tenant.tenantId), {})))
      // What commits with a change is counted like what stands alone.
      await catalog.appendEvents([anEvent(tenant.tenantId)])
      await delay(5)
    }
  }
  const events = await eventsOf('busy')
  assert.ok(events.filter(({ action }) => action === 'writer.heartbeat').length > 1)
  assert.equal(events.at(-1)?.action, 'writer.stopped')
  const beats = events.filter(({ detail }) => detail?.kind === 'beat').length
  // All but the last beat: nothing comes after it that could name it.
  assert.equal(assertBeats(events), events.length - 1)
  assert.equal(events.length, 20 * 11 + 1 + beats)
})

test('where nothing happens there is one beat and no more', async () => {
  await using stack = new AsyncDisposableStack()
  const { log } = openLog(stack, createEventWriter({ name: 'idle' }))
  await log.append(anEvent(tenant.tenantId), {})
  while (!(await eventsOf('idle')).some(({ action }) => action === 'writer.heartbeat')) await delay(10)
  await delay(200)
  assert.equal((await eventsOf('idle')).length, 3)
})

test('a beat that is lost comes back as it was, and none is left out', async () => {
  const writer = createEventWriter({ name: 'lossy' })
  {
    await using stack = new AsyncDisposableStack()
    const pool = stack.adopt(createPool(database.app), opened => opened.end())
    const { appendStamped, commitLate } = createCatalog({ pool, stamper: writer })
    let calls = 0
    const catalog: EventLogParts['catalog'] = {
      commitLate,
      // Every third call fails, with its events or without.
      async appendStamped(events, options) {
        if (++calls % 3 !== 0) return appendStamped(events, options)
        if (calls % 2 === 0) await appendStamped(events.map(forgetful), options)
        throw new Error('the connection broke')
      },
    }
    const { log } = openLog(stack, writer, { catalog })
    for (let round = 0; round < 40; round++) {
      await log.append(anEvent(tenant.tenantId), {}).catch(() => undefined)
      await delay(5)
    }
    calls = Number.NEGATIVE_INFINITY
  }
  const events = await eventsOf('lossy')
  assert.ok(assertBeats(events) > 20)
  assert.equal(events.at(-1)?.action, 'writer.stopped')
})

const forgetful = <Stamped extends object>(event: Stamped) => ({ ...event, acknowledge: () => undefined })

test('a writer that is killed has named nothing that is not there', async () => {
  const main = fileURLToPath(new URL('../../../../test/killed-writer.ts', import.meta.url))
  for (let round = 0; round < 4; round++) {
    const name = `killed-${'abcd'.charAt(round)}`
    const child = spawn(process.execPath, [main], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        KILLED_WRITER: JSON.stringify({ name, settings: database.app, tenantId: tenant.tenantId }),
      },
    })
    const exited = once(child, 'exit')
    await once(child.stdout, 'data')
    while (!(await eventsOf(name)).some(({ action }) => action === 'writer.heartbeat')) await delay(10)
    await delay(60 * round)
    child.kill('SIGKILL')
    await exited
    const events = await eventsOf(name)
    assert.ok(assertBeats(events) > 0)
    assert.ok(!events.some(({ action }) => action === 'writer.stopped'))
  }
})

test('spans hold exactly the numbers they are made of, lowest first, as many as an event has room for', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(2_000), { maxLength: 800 }), numbers => {
      const left = new Set(numbers)
      const spans = takeSpans(left)
      assert.ok(spans.length <= 128)
      const taken = spans.flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index),
      )
      assert.deepEqual(
        [...taken, ...left].toSorted((a, b) => a - b),
        numbers.toSorted((a, b) => a - b),
      )
      const [least] = Array.from(left).toSorted((a, b) => a - b)
      assert.ok(least === undefined || least > Math.max(...taken))
      assert.ok(spans.every(([first], index) => index === 0 || first > (spans[index - 1]?.[1] ?? 0) + 1))
    }),
  )
})
