// Every operation of the port of objects, as a caller uses it, with what is right about its answers.
import assert from 'node:assert/strict'
import type { ByteRange } from '@auricle/contract'
import { createRandom } from '../harness/random.ts'
import type { ObjectSubject } from './google-objects.ts'
import { leftOf } from './objects-left.ts'
import type { Attempt, Operation } from './port.ts'

type ObjectOperation = Operation<ObjectSubject>

const random = createRandom(1)
const key = 'recordings/one'
const small = random.bytes(10_000)
/** Three chunks of a session, the last of them not full. */
const large = random.bytes(700_000)
const dayMs = 86_400_000
const keptUntil = () => new Date(Date.now() + dayMs)
const metadata = { role: 'original' }

/** What is there before most of the operations. */
const prepared = async ({ other }: ObjectSubject, retainUntil: Date | null = null) =>
  (await other.put(key, pieces(small), { retainUntil, metadata })).facts

export const objectOperations: readonly ObjectOperation[] = [
  creation('put, in one request', small),
  creation('put, in chunks', large),
  {
    name: 'put, the key is taken',
    async prepare(subject) {
      await prepared(subject)
      return {
        async call() {
          const { status } = await subject.store.put(key, pieces(large), { retainUntil: keptUntil() })
          return { said: status }
        },
        left: leftOf(subject, { key, bytes: small }),
      }
    },
    mayBeLeft: /^the object(, \d open uploads?)?$/,
  },
  {
    name: 'head',
    async prepare(subject) {
      const facts = await prepared(subject, keptUntil())
      return {
        async call() {
          assert.deepEqual(await subject.store.head(key), facts)
          return { said: 'the facts' }
        },
        left: leftOf(subject, { key, bytes: small }),
      }
    },
  },
  {
    name: 'head, nothing is there',
    async prepare(subject) {
      return {
        async call() {
          assert.equal(await subject.store.head(key), null)
          return { said: 'absent' }
        },
        left: leftOf(subject, { key, bytes: small }),
      }
    },
  },
  {
    name: 'read, all',
    async prepare(subject) {
      await subject.other.put(key, pieces(large), { retainUntil: null })
      return {
        async call() {
          assert.ok((await contentOf(subject, null)).equals(large), 'other bytes')
          return { said: 'the bytes' }
        },
        left: leftOf(subject, { key, bytes: large }),
      }
    },
  },
  {
    name: 'read, a range',
    async prepare(subject) {
      await subject.other.put(key, pieces(large), { retainUntil: null })
      const range = { start: 300_000, end: 562_144 }
      return {
        async call() {
          const content = await contentOf(subject, range)
          const right = large.subarray(range.start, range.end)
          assert.equal(content.length, right.length)
          if (content.equals(right)) return { said: 'the bytes' }
          const wrong = right.filter((byte, index) => byte !== content[index]).length
          return { said: `all bytes, ${wrong} of them wrong` }
        },
        left: leftOf(subject, { key, bytes: large }),
      }
    },
    // The service tells no checksum of a range. Who reads ranges verifies the tag of each segment.
    mayBeSaid: /^(the bytes|all bytes, 1 of them wrong)$/,
  },
  {
    name: 'delete',
    async prepare(subject) {
      const { generation } = await prepared(subject)
      return {
        call: async () => ({ said: await subject.store.delete(key, { generation }) }),
        left: leftOf(subject, { key, bytes: small }),
      }
    },
    mayBeSaidAgain: /^(deleted|absent)$/,
  },
  {
    name: 'delete, kept by its retention',
    async prepare(subject) {
      await prepared(subject, keptUntil())
      return {
        call: async () => ({ said: await subject.store.delete(key) }),
        left: leftOf(subject, { key, bytes: small, mustStay: true }),
      }
    },
  },
  {
    name: 'list, three pages',
    async prepare(subject) {
      const keys = ['a', 'b', 'c', 'd', 'e'].map(name => `listed/${name}`)
      for (const each of keys) await subject.other.put(each, pieces(small), { retainUntil: null })
      return {
        async call() {
          const found: string[] = []
          for await (const facts of subject.store.list('listed/')) found.push(facts.key)
          assert.deepEqual(found.toSorted(), keys)
          return { said: 'all of them' }
        },
        left: () => `${subject.state.objects(subject.bucket).length} objects`,
      }
    },
  },
  {
    name: 'retain',
    async prepare(subject) {
      const { retainUntil } = await prepared(subject, keptUntil())
      const later = new Date((retainUntil?.getTime() ?? 0) + dayMs)
      return {
        async call() {
          assert.deepEqual((await subject.store.retain(key, later)).retainUntil, later)
          return { said: 'kept until then' }
        },
        left: leftOf(subject, {
          key,
          bytes: small,
          mustStay: true,
          describe: ({ retention }) =>
            retention?.retainUntil === later.getTime() ? ', kept longer' : ', kept as before',
        }),
      }
    },
  },
  {
    name: 'setHold, on',
    async prepare(subject) {
      await prepared(subject)
      return {
        async call() {
          assert.equal((await subject.store.setHold(key, true)).held, true)
          return { said: 'held' }
        },
        left: leftOf(subject, {
          key,
          bytes: small,
          describe: ({ temporaryHold }) => (temporaryHold ? ', held' : ', not held'),
        }),
      }
    },
  },
  {
    name: 'setMetadata',
    async prepare(subject) {
      await prepared(subject, keptUntil())
      const next = { role: 'original', copied: 'yes' }
      return {
        async call() {
          assert.deepEqual((await subject.store.setMetadata(key, next)).metadata, next)
          return { said: 'noted' }
        },
        left: leftOf(subject, {
          key,
          bytes: small,
          mustStay: true,
          describe: view => (view.metadata['copied'] === 'yes' ? ', new notes' : ', old notes'),
        }),
      }
    },
  },
  {
    name: 'inspect',
    async prepare(subject) {
      return {
        async call() {
          const findings = await subject.store.inspect()
          const bad = findings.filter(({ state }) => state !== 'ok')
          return { said: bad.length === 0 ? 'nothing bad' : `a finding: ${bad[0]?.found}` }
        },
        left: leftOf(subject, { key, bytes: small }),
      }
    },
    // It throws nothing: that the service cannot be looked at is what it finds.
    mayBeSaid: /^nothing bad$|^a finding: /,
  },
]

function creation(name: string, bytes: Buffer): ObjectOperation {
  return {
    name,
    async prepare(subject): Promise<Attempt> {
      const retainUntil = keptUntil()
      return {
        async call() {
          const { status, facts } = await subject.store.put(key, pieces(bytes), { retainUntil, metadata })
          return {
            said: status,
            judge: async () => {
              assert.equal(facts.sizeBytes, bytes.length)
              assert.deepEqual(facts.retainUntil, retainUntil)
              assert.deepEqual(facts.metadata, metadata)
              assert.deepEqual(await subject.other.head(key), facts)
            },
          }
        },
        left: leftOf(subject, { key, bytes, mustBeKeptUntil: retainUntil }),
      }
    },
    // After an error it may turn out that the object had come to be: it is ours, whole.
    mayBeSaidAgain: /^(created|exists)$/,
    mayBeLeft: /^the object(, \d open uploads?)?$/,
  }
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  const pieceBytes = 65_536
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

async function contentOf({ store }: ObjectSubject, range: ByteRange | null): Promise<Buffer> {
  const content: Uint8Array[] = []
  for await (const piece of store.read(key, range)) content.push(piece)
  return Buffer.concat(content)
}
