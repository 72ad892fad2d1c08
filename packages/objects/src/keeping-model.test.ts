// What keeps an object against a model of it, over random sequences: nothing that is locked is ever shortened.
import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  emulatedBucketName as bucket,
  googleEnvironment,
  startEmulatedBucket,
} from '../../../test/harness/emulated-bucket.ts'
import { ObjectError } from './error.ts'
import { createFolderStore } from './folder-store.ts'
import { createGoogleStore } from './google/google-store.ts'
import type { ObjectFacts, ObjectStore } from './store.ts'

interface Subject extends AsyncDisposable {
  readonly store: ObjectStore
  now(): number
  advance(milliseconds: number): void
}

type Step =
  | { readonly do: 'put'; readonly key: string; readonly inMs: number; readonly lock: boolean }
  | { readonly do: 'retain'; readonly key: string; readonly inMs: number; readonly lock: boolean }
  | { readonly do: 'loosen'; readonly key: string; readonly inMs: number | null }
  | { readonly do: 'hold'; readonly key: string; readonly held: boolean }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'wait'; readonly ms: number }

const minuteMs = 60_000
const startsAt = Date.parse('2030-01-01T00:00:00Z')

const key = fc.constantFrom('a', 'b')
const inMs = fc.integer({ min: 1, max: 10 }).map(minutes => minutes * minuteMs)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('put' as const), key, inMs, lock: fc.boolean() }),
  fc.record({ do: fc.constant('retain' as const), key, inMs, lock: fc.boolean() }),
  fc.record({
    do: fc.constant('loosen' as const),
    key,
    inMs: fc.option(fc.oneof(inMs, fc.constant(-minuteMs))),
  }),
  fc.record({ do: fc.constant('hold' as const), key, held: fc.boolean() }),
  fc.record({ do: fc.constant('delete' as const), key }),
  fc.record({ do: fc.constant('wait' as const), ms: inMs }),
)

interface Modelled {
  generation: string
  until: number | null
  locked: boolean
  held: boolean
}

/** What a step comes to: the code of its refusal, or a word. */
function expected(model: Map<string, Modelled>, each: Exclude<Step, { do: 'wait' }>, now: number): string {
  const object = model.get(each.key)
  if (each.do === 'put') {
    if (object !== undefined) return 'exists'
    model.set(each.key, { generation: '', until: now + each.inMs, locked: each.lock, held: false })
    return 'created'
  }
  if (object === undefined) return each.do === 'delete' ? 'absent' : 'not_found'
  switch (each.do) {
    case 'retain':
      if (object.until === null) object.locked = each.lock
      object.until = Math.max(object.until ?? 0, now + each.inMs)
      return 'done'
    case 'loosen': {
      const until = each.inMs === null ? 0 : now + each.inMs
      if (object.until === null || object.until <= now || until >= object.until) return 'done'
      if (object.locked) return 'locked'
      object.until = until > now ? until : null
      return 'done'
    }
    case 'hold':
      object.held = each.held
      return 'done'
    case 'delete':
      if (object.held) return 'held'
      if (object.until !== null && object.until > now) return 'retained'
      model.delete(each.key)
      return 'deleted'
    default:
      return each satisfies never
  }
}

async function taken(store: ObjectStore, each: Exclude<Step, { do: 'wait' }>, now: number): Promise<string> {
  try {
    switch (each.do) {
      case 'put': {
        const retainUntil = new Date(now + each.inMs)
        return (await store.put(each.key, content(), { retainUntil, lock: each.lock })).status
      }
      case 'retain':
        await store.retain(each.key, new Date(now + each.inMs), { lock: each.lock })
        return 'done'
      case 'loosen': {
        const until = each.inMs === null ? null : new Date(now + each.inMs)
        const generation = (await store.head(each.key))?.generation ?? '1'
        await store.loosen(each.key, until, { generation })
        return 'done'
      }
      case 'hold':
        await store.setHold(each.key, each.held)
        return 'done'
      case 'delete':
        return await store.delete(each.key)
      default:
        return each satisfies never
    }
  } catch (error) {
    if (error instanceof ObjectError) return error.code
    throw error
  }
}

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('x')
}

const stores: readonly [string, number, () => Promise<Subject>][] = [
  ['a folder', 300, openFolder],
  ['a bucket', 300, openBucket],
]

for (const [name, numRuns, open] of stores) {
  describe(`what keeps an object in ${name}`, () => {
    test('is what a model of it says, step by step', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async steps => {
          await using subject = await open()
          const model = new Map<string, Modelled>()
          for (const each of steps) {
            if (each.do === 'wait') {
              subject.advance(each.ms)
              continue
            }
            const now = subject.now()
            assert.equal(await taken(subject.store, each, now), expected(model, each, now))
            const facts = await subject.store.head(each.key)
            const object = model.get(each.key)
            assert.equal(facts === null, object === undefined)
            if (facts === null || object === undefined) continue
            assert.equal(facts.retainUntil?.getTime() ?? null, object.until)
            assert.equal(facts.held, object.held)
            assert.equal(facts.locked, object.until !== null && object.locked)
          }
        }),
        { numRuns },
      )
    })

    test('is never less than what anybody was told is locked, whatever all of them do at once', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
          async rounds => {
            await using subject = await open()
            const told = new Map<string, ObjectFacts>()
            for (const round of rounds) {
              const steps = round.filter(each => each.do !== 'wait')
              await Promise.all(steps.map(each => taken(subject.store, each, subject.now())))
              for (const [key, { generation, retainUntil }] of told) {
                if (retainUntil === null || retainUntil.getTime() <= subject.now()) continue
                const facts = await subject.store.head(key)
                assert.equal(facts?.generation, generation)
                assert.equal(facts.locked, true)
                assert.ok(facts.retainUntil !== null && facts.retainUntil >= retainUntil)
              }
              for await (const facts of subject.store.list('')) if (facts.locked) told.set(facts.key, facts)
              for (const each of round) if (each.do === 'wait') subject.advance(each.ms)
            }
          },
        ),
        { numRuns },
      )
    })
  })
}

async function openFolder(): Promise<Subject> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'objects-'))
  let now = startsAt
  return {
    store: createFolderStore({ folder: folder.path, now: () => now }),
    now: () => now,
    advance(milliseconds) {
      now += milliseconds
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}

async function openBucket(): Promise<Subject> {
  let now = startsAt
  const emulated = await startEmulatedBucket({ clock: () => now })
  Object.assign(process.env, googleEnvironment(emulated.metadata.host))
  return {
    store: createGoogleStore({ bucket, retentionMode: 'Locked', endpoint: emulated.gcs.url, now: () => now }),
    now: () => now,
    advance(milliseconds) {
      now += milliseconds
    },
    [Symbol.asyncDispose]: () => emulated[Symbol.asyncDispose](),
  }
}
