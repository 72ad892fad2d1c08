// The end of a recording: nothing goes before its event is durable, nothing is left, and whatever happens in between, a
// run that comes later ends the same.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { RecordingId } from '@auricle/contract'
import { auditEvents } from '../../../../test/audit-log.ts'
import { inTenant, placeHoldRow } from '../../../../test/disposition-fixture.ts'
import { type EndOfLife, openEndOfLife } from '../../../../test/disposition-vault.ts'
import { recordingFolder } from '../object-key.ts'
import { type DestroyReadyParts, destroyReady } from './destroy-ready.ts'
import type { DisposalStore } from './remains.ts'

let end: EndOfLife

before(async () => {
  end = await openEndOfLife()
})
after(() => end[Symbol.asyncDispose]())

/** One that waits no longer. */
async function ready(): Promise<RecordingId> {
  const recordingId = await end.archive()
  await end.propose()
  end.pass(8)
  return recordingId
}

const run = (change: Partial<DestroyReadyParts> = {}) => destroyReady({ ...end.parts, ...change }, {})

async function keysOf(recordingId: RecordingId): Promise<readonly string[]> {
  const keys: string[] = []
  for (const [name, store] of [
    ['primary', end.primary],
    ['recovery', end.recovery],
  ] as const) {
    for await (const { key } of store.list(recordingFolder(end.tenantId, recordingId)))
      keys.push(`${name} ${key.slice(key.lastIndexOf('/') + 1)}`)
  }
  return keys
}

const rowOf = async (recordingId: RecordingId) => {
  const { rows } = await end.vault.database.superuserPool.query(
    `select r.*, i.state as item_state, i.reason, i.attempts from auricle.recording r
     left join lateral (
       select * from auricle.disposition_item i where i.recording_id = r.id order by changed_at desc, disposition_id desc
       limit 1
     ) i on true where r.id = $1`,
    [recordingId],
  )
  return rows[0]
}

const eventsOf = async (recordingId: RecordingId, action: string) =>
  (await auditEvents(end.vault, end.tenantId)).filter(
    event => event.object?.id === recordingId && event.action === action,
  )

/** A store that is asked `before` each delete. */
const watching = (store: DisposalStore, before: (key: string) => Promise<void>): DisposalStore => ({
  list: (prefix, options) => store.list(prefix, options),
  listGone: (prefix, options) => store.listGone(prefix, options),
  restorable: options => store.restorable(options),
  async delete(key, options) {
    await before(key)
    return store.delete(key, options)
  },
})

describe('a recording whose time is over', () => {
  test('goes from every store and every row, with a certificate', async () => {
    const recordingId = await ready()
    assert.equal((await keysOf(recordingId)).length, 6)
    assert.deepEqual(await run(), { destroyed: 1, takenOut: 0, postponed: 0 })
    assert.deepEqual(await keysOf(recordingId), [])
    const row = await rowOf(recordingId)
    for (const column of [
      'source_id',
      'from_number',
      'from_name',
      'to_number',
      'note',
      'from_index',
      'to_index',
    ])
      assert.equal(row[column], null, column)
    assert.ok(row.destroyed_at instanceof Date)
    assert.equal(row.item_state, 'destroyed')
    const { rows: wraps } = await end.vault.database.superuserPool.query(
      'select wrap, destroyed_at from auricle.recording_object where recording_id = $1',
      [recordingId],
    )
    assert.ok(
      wraps.length === 3 && wraps.every(({ wrap, destroyed_at }) => wrap === null && destroyed_at !== null),
    )
    const certificate = await end.vault.catalog.findCertificate(end.tenantId, recordingId)
    const [disposed] = await eventsOf(recordingId, 'recording.disposed')
    assert.equal(certificate?.eventId, disposed?.id)
    assert.equal(certificate?.claims.objects.length, 6)
    assert.deepEqual(certificate?.claims.rule, { id: end.ruleId, version: 1 })
    assert.equal((await run()).destroyed, 0)
  })
})

describe('no byte is deleted', () => {
  test('before the event that says so is durable', async () => {
    const recordingId = await ready()
    let deletes = 0
    const look = async () => {
      // Asked on a connection of its own: what it sees is committed.
      assert.equal((await eventsOf(recordingId, 'recording.destroying')).length, 1)
      deletes++
    }
    const stores = { primary: watching(end.primary, look), recovery: watching(end.recovery, look) }
    assert.equal((await run({ stores })).destroyed, 1)
    assert.equal(deletes, 6)
  })

  test('where the event cannot be written', async () => {
    const recordingId = await ready()
    const catalog = {
      ...end.vault.catalog,
      beginDestruction: () => Promise.reject(new Error('the log takes nothing')),
    }
    assert.deepEqual(await run({ catalog }), { destroyed: 0, takenOut: 0, postponed: 1 })
    assert.equal((await keysOf(recordingId)).length, 6)
    assert.equal((await rowOf(recordingId)).destroying_at, null)
    end.pass(1)
    assert.equal((await run()).destroyed, 1)
  })
})

describe('a hold', () => {
  test('placed before it began takes it out, and its release starts nothing', async () => {
    const recordingId = await ready()
    const release = await placeHoldRow(end.vault.database.appPool, end.tenantId, [recordingId], end.clock.now)
    assert.deepEqual(await run(), { destroyed: 0, takenOut: 1, postponed: 0 })
    const [stopped] = await eventsOf(recordingId, 'disposition.stopped')
    assert.deepEqual(stopped?.reasons, ['held', 'not_begun'])
    assert.equal((await rowOf(recordingId)).item_state, 'kept')
    end.pass(1)
    await release(end.clock.now)
    assert.deepEqual(await run(), { destroyed: 0, takenOut: 0, postponed: 0 })
    assert.equal((await keysOf(recordingId)).length, 6)
    await end.propose()
    assert.equal((await run()).destroyed, 0)
    end.pass(8)
    assert.equal((await run()).destroyed, 1)
  })

  for (let done = 0; done <= 6; done++) {
    test(`placed after ${done} of its 6 objects stops it there`, async () => {
      const recordingId = await ready()
      let deletes = 0
      const place = () => placeHoldRow(end.vault.database.appPool, end.tenantId, [recordingId], end.clock.now)
      const placed: ReturnType<typeof place>[] = []
      const count = async () => {
        // Asked for while the delete is under way: it is placed as soon as that is over.
        if (deletes === done - 1) placed.push(place())
        deletes++
      }
      const catalog = {
        ...end.vault.catalog,
        async beginDestruction(...args: Parameters<typeof end.vault.catalog.beginDestruction>) {
          const outcome = await end.vault.catalog.beginDestruction(...args)
          if (done === 0) placed.push(place())
          await Promise.all(placed)
          return outcome
        },
        async destroyObject(...args: Parameters<typeof end.vault.catalog.destroyObject>) {
          const outcome = await end.vault.catalog.destroyObject(...args)
          await Promise.all(placed)
          return outcome
        },
      }
      const stores = { primary: watching(end.primary, count), recovery: watching(end.recovery, count) }
      assert.deepEqual(await run({ catalog, stores }), { destroyed: 0, takenOut: 1, postponed: 0 })
      assert.equal(deletes, done)
      assert.equal((await keysOf(recordingId)).length, 6 - done)
      const row = await rowOf(recordingId)
      assert.deepEqual([row.destroying_at, row.item_state], [null, 'stopped'])
      const [stopped] = await eventsOf(recordingId, 'disposition.stopped')
      const extent = done === 0 ? 'nothing_deleted' : done < 6 ? 'original_left' : 'nothing_left'
      assert.deepEqual(stopped?.reasons, ['held', extent])
      const secrets = await end.vault.secrets.get(end.tenantId)
      const shown = await end.vault.catalog.findRecording(end.tenantId, recordingId, secrets.columns)
      assert.equal(shown?.from, '+15550100')
      end.pass(1)
      for (const release of await Promise.all(placed)) await release(end.clock.now)
      await end.propose()
      end.pass(8)
      assert.equal((await run()).destroyed, 1)
      assert.deepEqual(await keysOf(recordingId), [])
      const certificate = await end.vault.catalog.findCertificate(end.tenantId, recordingId)
      assert.equal(certificate?.claims.objects.length, 6)
    })
  }
})

describe('a store', () => {
  for (const name of ['primary', 'recovery'] as const) {
    test(`that cannot answer (${name}) is asked again later`, async () => {
      const recordingId = await ready()
      const out = Object.assign(new Error('down'), { name: 'ObjectError', code: 'unavailable' })
      const failing = watching(end[name], () => Promise.reject(out))
      const stores = { primary: end.primary, recovery: end.recovery, [name]: failing }
      assert.deepEqual(await run({ stores }), { destroyed: 0, takenOut: 0, postponed: 1 })
      const row = await rowOf(recordingId)
      assert.deepEqual([row.item_state, row.reason, row.attempts], ['destroying', 'store_unavailable', 1])
      assert.equal((await eventsOf(recordingId, 'store.refused')).length, 0)
      assert.equal((await run()).destroyed, 0)
      end.pass(0.2)
      assert.equal((await run()).destroyed, 1)
      assert.equal((await eventsOf(recordingId, 'recording.destroying')).length, 1)
    })

    test(`that keeps an object longer (${name}) is told of before anything begins`, async () => {
      const recordingId = await ready()
      const key = `${recordingFolder(end.tenantId, recordingId)}original`
      await end[name].retain(key, new Date(end.clock.now.getTime() + 3 * 86_400_000))
      assert.equal((await run()).postponed, 1)
      const row = await rowOf(recordingId)
      assert.deepEqual([row.destroying_at, row.reason], [null, 'store_retained'])
      const [refused] = await eventsOf(recordingId, 'store.refused')
      assert.deepEqual([refused?.outcome, refused?.reasons], ['denied', ['store_retained', name]])
      assert.equal((await keysOf(recordingId)).length, 6)
      // It said until when: not asked, and not noted, twelve times a day until then.
      end.pass(0.5)
      assert.deepEqual(await run(), { destroyed: 0, takenOut: 0, postponed: 0 })
      assert.equal((await eventsOf(recordingId, 'store.refused')).length, 1)
      end.pass(3.5)
      assert.equal((await run()).destroyed, 1)
    })

    test(`that holds an object (${name}) is told of too`, async () => {
      const recordingId = await ready()
      const key = `${recordingFolder(end.tenantId, recordingId)}peaks`
      await end[name].setHold(key, true)
      assert.equal((await run()).postponed, 1)
      assert.equal((await rowOf(recordingId)).reason, 'store_held')
      await end[name].setHold(key, false)
      end.pass(1)
      assert.equal((await run()).destroyed, 1)
    })
  }

  test('whose clock is behind refuses, and does later', async () => {
    const recordingId = await ready()
    const { now } = end.clock
    const behind = async () => {
      end.clock.now = new Date()
    }
    await run({ stores: { primary: end.primary, recovery: watching(end.recovery, behind) }, now: () => now })
    assert.equal((await rowOf(recordingId)).reason, 'store_retained')
    assert.equal((await eventsOf(recordingId, 'store.refused')).length, 1)
    assert.equal((await keysOf(recordingId)).length, 6)
    end.clock.now = now
    end.pass(1)
    assert.equal((await run()).destroyed, 1)
  })

  test('of second copies that is not there any more keeps the first', async () => {
    const recordingId = await ready()
    assert.equal((await run({ stores: { primary: end.primary, recovery: null } })).postponed, 1)
    assert.equal((await rowOf(recordingId)).reason, 'no_recovery_store')
    assert.equal((await keysOf(recordingId)).length, 6)
    end.pass(1)
    assert.equal((await run()).destroyed, 1)
  })
})

describe('what no row knows', () => {
  test('of it goes as well: its delivery, and strays of either store', async () => {
    const recordingId = await ready()
    const intake = await rowOf(recordingId)
    const { rows } = await end.vault.database.superuserPool.query(
      'select object_key from auricle.intake where id = $1',
      [intake.intake_id],
    )
    const bytes = async function* () {
      yield Buffer.from('left over')
    }
    const intakeKey: string = rows[0].object_key
    await end.primary.put(intakeKey, bytes(), { retainUntil: null })
    await end.recovery.put(`${recordingFolder(end.tenantId, recordingId)}stray`, bytes(), {
      retainUntil: null,
    })
    assert.equal((await run()).destroyed, 1)
    assert.deepEqual(await keysOf(recordingId), [])
    assert.equal(await end.primary.head(intakeKey), null)
    const certificate = await end.vault.catalog.findCertificate(end.tenantId, recordingId)
    assert.deepEqual(certificate?.claims.objects.map(({ store, role }) => `${store} ${role}`).sort(), [
      ...['primary intake', 'primary original', 'primary peaks', 'primary playback', 'recovery original'],
      ...['recovery peaks', 'recovery playback', 'recovery stray'],
    ])
  })

  test('is named by the certificate, also where the note of a copy that goes is lost', async () => {
    const recordingId = await ready()
    await end.vault.database.superuserPool.query(
      `update auricle.recording_object set recovery_generation = null, replicated_at = null
       where recording_id = $1 and role = 'original'`,
      [recordingId],
    )
    let isLost = false
    const catalog = {
      ...end.vault.catalog,
      destroyObject: (...[step, remove]: Parameters<typeof end.vault.catalog.destroyObject>) =>
        end.vault.catalog.destroyObject(step, async () => {
          const removed = await remove()
          if (isLost || removed.store !== 'recovery' || !removed.key.endsWith('/original')) return removed
          isLost = true
          throw new Error('the note is lost')
        }),
    }
    assert.equal((await run({ catalog })).postponed, 1)
    assert.ok(isLost)
    end.pass(1)
    assert.equal((await run()).destroyed, 1)
    assert.deepEqual(await keysOf(recordingId), [])
    const certificate = await end.vault.catalog.findCertificate(end.tenantId, recordingId)
    assert.equal(certificate?.claims.objects.length, 6)
  })

  for (const [role, where] of [
    ['intake', 'primary'],
    ['stray', 'primary'],
    ['stray', 'recovery'],
  ] as const)
    test(`is named by the certificate, also where the note of it is lost: ${role}, ${where}`, async () => {
      const recordingId = await ready()
      const { rows } = await end.vault.database.superuserPool.query(
        'select i.object_key from auricle.intake i where i.recording_id = $1',
        [recordingId],
      )
      const key: string =
        role === 'intake' ? rows[0].object_key : `${recordingFolder(end.tenantId, recordingId)}stray`
      const bytes = async function* () {
        yield Buffer.from('left over')
      }
      await end[where].put(key, bytes(), { retainUntil: null })
      let isLost = false
      const catalog = {
        ...end.vault.catalog,
        destroyObject: (...[step, remove]: Parameters<typeof end.vault.catalog.destroyObject>) =>
          end.vault.catalog.destroyObject(step, async () => {
            const removed = await remove()
            if (isLost || removed.key !== key) return removed
            isLost = true
            throw new Error('the note is lost')
          }),
      }
      assert.equal((await run({ catalog })).postponed, 1)
      assert.ok(isLost)
      assert.equal(await end[where].head(key), null)
      end.pass(1)
      assert.equal((await run()).destroyed, 1)
      const certificate = await end.vault.catalog.findCertificate(end.tenantId, recordingId)
      const named = certificate?.claims.objects.filter(object => object.key === key)
      assert.deepEqual(
        named?.map(object => [object.store, object.role, object.bytes]),
        [[where, role, 9]],
      )
      assert.equal(certificate?.claims.objects.length, 7)
    })

  test('and lies under the name of another recording stays', async () => {
    const [one, other] = [await ready(), await end.archive()]
    assert.equal((await run()).destroyed, 1)
    assert.deepEqual(await keysOf(one), [])
    assert.equal((await keysOf(other)).length, 6)
  })
})

describe('several workers', () => {
  test('at once destroy each recording once', async () => {
    const ids = [await end.archive(), await end.archive(), await end.archive()]
    await end.propose()
    end.pass(8)
    const counts = await Promise.all([run(), run(), run()])
    assert.equal(counts.reduce((sum, { destroyed }) => sum + destroyed, 0) >= ids.length, true)
    for (const id of ids) {
      assert.equal((await eventsOf(id, 'recording.disposed')).length, 1)
      assert.equal((await eventsOf(id, 'recording.destroying')).length, 1)
    }
  })

  test('at one recording, since the first seemed dead, end it once', async () => {
    const recordingId = await ready()
    const { parts, tenantId } = end
    const catalog = { ...end.vault.catalog }
    let second: Promise<unknown> | null = null
    const begin = async () => {
      if (second !== null) return
      const later = () => new Date(end.clock.now.getTime() + 3_600_000)
      second = destroyReady({ ...parts, now: later }, {})
    }
    await run({ catalog, stores: { primary: watching(end.primary, begin), recovery: end.recovery } })
    await second
    assert.deepEqual(await keysOf(recordingId), [])
    assert.equal((await eventsOf(recordingId, 'recording.disposed')).length, 1)
    assert.ok(await end.vault.catalog.findCertificate(tenantId, recordingId))
  })
})

describe('its disposition', () => {
  test('is done when the last of it is, however that ended', async () => {
    const [one, other] = [await end.archive(), await end.archive()]
    await end.propose()
    end.pass(8)
    await placeHoldRow(end.vault.database.appPool, end.tenantId, [other], end.clock.now)
    await run()
    const { rows } = await inTenant(end.vault.database.appPool, end.tenantId, client =>
      client.query(
        `select d.state, d.ended_at is not null as ended from auricle.disposition d join auricle.disposition_item i
           on i.disposition_id = d.id where i.recording_id = $1`,
        [one],
      ),
    )
    assert.deepEqual(rows, [{ state: 'done', ended: true }])
  })
})
