// No event, no key: what opens nothing, what opens, and what is told of it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { type EventId, newEventId, newTenantId, type TenantId } from '@auricle/contract'
import { guardKeys, type KeyUse, type NamedEvent } from './guarded-keys.ts'
import type { KeyService } from './key-service.ts'
import { createKeyUses, keyUsesFolder } from './key-uses.ts'
import { createLocalKeyService } from './local-key-service.ts'

/** Stands for the proof that the log makes: only what this class made is one. */
class Proof implements NamedEvent {
  readonly #made = true
  readonly tenantId: TenantId
  readonly eventId: EventId
  constructor(tenantId: TenantId) {
    this.tenantId = tenantId
    this.eventId = newEventId()
  }
  static is(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #made in value && value.#made
  }
}

const aad = new TextEncoder().encode('a recording')
const dataKey = randomBytes(32)
const tenantId = newTenantId()
const recordings = { purpose: 'recordings', tenantId } as const

let folder: string
let service: KeyService
let unwraps: number
let uses: KeyUse[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auricle-guard-'))
  const local = await createLocalKeyService({ file: join(folder, 'keyring.json') })
  for (const purpose of ['recordings', 'connectors'] as const) await local.ensure({ purpose, tenantId })
  await local.ensure({ purpose: 'identity' })
  service = {
    ...local,
    key(name) {
      const handle = local.key(name)
      return {
        ...handle,
        unwrap: (...asked) => {
          unwraps++
          return handle.unwrap(...asked)
        },
      }
    },
  }
})
after(() => rm(folder, { recursive: true, force: true }))
beforeEach(() => {
  unwraps = 0
  uses = []
})

const note = async (use: KeyUse) => {
  uses.push(use)
}

const guarded = (onUse = note) => guardKeys(service, { isDurable: Proof.is, onUse, now: () => new Date(0) })

test('with a durable event of the tenant it opens, told once for each use and before it', async () => {
  const keys = guarded(async use => {
    assert.equal(unwraps, uses.length)
    uses.push(use)
  })
  const wrap = await keys.key(recordings).wrap(dataKey, aad)
  const event = new Proof(tenantId)
  const opener = keys.opener(recordings, event)
  for (let time = 0; time < 3; time++) assert.deepEqual(Buffer.from(await opener.unwrap(wrap, aad)), dataKey)
  const use = { tenantId, eventId: event.eventId, at: new Date(0) }
  assert.deepEqual(uses, [use, use, use])
})

test('nothing else does: the service is not even asked', async () => {
  const keys = guarded()
  const wrap = await keys.key(recordings).wrap(dataKey, aad)
  const real = new Proof(tenantId)
  const lookalikes: readonly unknown[] = [
    null,
    undefined,
    true,
    real.eventId,
    { tenantId, eventId: real.eventId },
    { ...real },
    Object.create(Proof.prototype, { tenantId: { value: tenantId }, eventId: { value: real.eventId } }),
    JSON.parse(JSON.stringify(real)),
    structuredClone({ ...real }),
    new Proxy(real, {}),
    new Proof(newTenantId()),
    Proof,
  ]
  for (const event of lookalikes) {
    const opener = keys.opener(recordings, event as NamedEvent)
    await assert.rejects(opener.unwrap(wrap, aad), { name: 'KeyError', code: 'no_event', transient: false })
  }
  assert.deepEqual([unwraps, uses], [0, []])
})

test('a handle of a recordings key cannot unwrap; keys of connectors and identity go on doing both', async () => {
  const keys = guarded()
  assert.deepEqual(Object.keys(keys.key(recordings)), ['wrap'])
  assert.ok(!('unwrap' in keys.key(recordings)))
  for (const name of [{ purpose: 'connectors', tenantId }, { purpose: 'identity' }] as const) {
    const handle = keys.key(name)
    const wrap = await handle.wrap(dataKey, aad)
    assert.deepEqual(Buffer.from(await handle.unwrap(wrap, aad)), dataKey)
  }
  assert.deepEqual(uses, [])
})

test('a use that cannot be noted does not happen', async () => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  const keys = guarded(() => Promise.reject(full))
  const wrap = await keys.key(recordings).wrap(dataKey, aad)
  const refused = keys.opener(recordings, new Proof(tenantId)).unwrap(wrap, aad)
  await assert.rejects(refused, { code: 'unavailable', transient: true, cause: full })
  assert.equal(unwraps, 0)
})

test('an abort before it is no use', async () => {
  const keys = guarded()
  const wrap = await keys.key(recordings).wrap(dataKey, aad)
  const reason = new Error('gone')
  const opener = keys.opener(recordings, new Proof(tenantId))
  await assert.rejects(opener.unwrap(wrap, aad, { signal: AbortSignal.abort(reason) }), reason)
  assert.deepEqual([unwraps, uses], [0, []])
})

test('uses beside a keyring: a line each in the file of its day, its owner’s alone, never shortened', async () => {
  const place = keyUsesFolder(join(folder, 'keyring.json'))
  assert.equal(place, join(folder, 'key-uses'))
  const [one, other] = [createKeyUses(place), createKeyUses(place)]
  const useOf = (at: string): KeyUse => ({ tenantId, eventId: newEventId(), at: new Date(at) })
  const today = Array.from({ length: 200 }, () => useOf('2030-01-02T23:59:59.999Z'))
  await Promise.all(today.map((use, index) => (index % 2 === 0 ? one : other)(use)))
  const next = useOf('2030-01-03T00:00:00.000Z')
  await one(next)
  assert.deepEqual(await readdir(place), ['2030-01-02.ndjson', '2030-01-03.ndjson'])
  const lines = (await readFile(join(place, '2030-01-02.ndjson'), 'utf8')).split('\n')
  assert.equal(lines.pop(), '')
  const at = '2030-01-02T23:59:59.999Z'
  assert.deepEqual(
    lines.sort(),
    today.map(({ eventId: event }) => JSON.stringify({ at, tenant: tenantId, event })).sort(),
  )
  const files = ['2030-01-02.ndjson', '2030-01-03.ndjson'].map(name => join(place, name))
  for (const file of files) assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(place)).mode & 0o777, 0o700)

  // Nor is a link followed that somebody laid in the place of a day to come.
  const elsewhere = join(folder, 'elsewhere')
  await writeFile(elsewhere, '')
  await symlink(elsewhere, join(place, '2030-01-04.ndjson'))
  await assert.rejects(one(useOf('2030-01-04T00:00:00.000Z')), { code: 'ELOOP' })
  assert.equal(await readFile(elsewhere, 'utf8'), '')
})
