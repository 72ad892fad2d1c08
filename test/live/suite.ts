// The conformance suites against a real project, as a process of its own that may fail or be ended at any moment:
// what it made is removed by the one that started it. Usage: node test/live/suite.ts PLAN, which is a plan as JSON.
import { describe } from 'node:test'
import { keyServiceConformance } from '@auricle/keys/conformance'
import { createGoogleKeyService, type GoogleKeyServiceOptions } from '@auricle/keys/google'
import { objectStoreConformance } from '@auricle/objects/conformance'
import { createGoogleStore } from '@auricle/objects/google'
import type { LiveBucket, LiveKeyRing, LivePlan } from './plan.ts'
import { liveTenants } from './tenants.ts'

const keyCharactersMost = 1024
/** Of a slash, and a number below 1,000. */
const casePrefixCharacters = 4
const raceRounds = 3

const { buckets, keys } = JSON.parse(process.argv[2] ?? '') as LivePlan
for (const bucket of buckets) describe(bucket.name, () => objects(bucket))
if (keys !== null) describe('keys', () => keysOf(keys))

function objects({ prefix, ...options }: LiveBucket): void {
  let cases = 0
  objectStoreConformance(
    async () => ({
      store: createGoogleStore({ ...options, prefix: `${prefix}/${++cases}` }),
      now: Date.now,
      advance() {
        throw new Error('Nobody moves the clock of a real service')
      },
      [Symbol.asyncDispose]: async () => {},
    }),
    {
      clock: 'real',
      modes: 'own',
      keyCharactersMost: keyCharactersMost - prefix.length - casePrefixCharacters - 1,
      raceRounds,
    },
  )
}

function keysOf(options: LiveKeyRing): void {
  keyServiceConformance(
    async () => {
      const stack = new AsyncDisposableStack()
      const open = () => stack.use(createGoogleKeyService(options satisfies GoogleKeyServiceOptions))
      return {
        service: open(),
        another: async () => open(),
        [Symbol.asyncDispose]: () => stack.disposeAsync(),
      }
    },
    { sparing: true, tenants: liveTenants, wrapVersion: 'told' },
  )
}
