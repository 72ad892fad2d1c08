// The authorisation matrix: every operation of the served document, as everybody, on everything, over sockets.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Action, can, type Decide } from '@auricle/identity'
import { auditEvents } from '../../../test/audit-log.ts'
import { type Front, openFront } from '../../../test/front.ts'
import { type Asked, createCaller, type MatrixCaller } from '../../../test/matrix/call.ts'
import { type Case, casesOf } from '../../../test/matrix/cases.ts'
import { type Described, readDocument } from '../../../test/matrix/document.ts'
import { everyRole, openWorld, type World } from '../../../test/matrix/world.ts'
import { openTestVault, type TestVault } from '../../../test/vault.ts'

const callsAtOnce = 8
/** On a machine with much else to do. */
const timeoutMs = 15 * 60_000

let vault: TestVault
let front: Front
let world: World
let caller: MatrixCaller
let described: readonly Described[]

/** Decides as the service does, and remembers what it was asked. */
const decided: Action[] = []
const listening: Decide = (actor, action, resource, circumstances) => {
  decided.push(action)
  return can(actor, action, resource, circumstances)
}

const documentJson = async (): Promise<unknown> => (await fetch(`${front.url}/v1/openapi.json`)).json()

before(async () => {
  vault = await openTestVault()
  world = await openWorld(vault)
  front = await openFront(vault, { decide: listening })
  described = readDocument(await documentJson())
  caller = createCaller({ world, url: front.url })
})
after(async () => {
  await front[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
})

test('an operation that the table does not know, or knows otherwise, is told in a sentence', async () => {
  const document = JSON.stringify(await documentJson())
  const strange = JSON.parse(document.replace('"operationId":"getMe"', '"operationId":"getYou"'))
  assert.throws(() => readDocument(strange), /getYou \(GET \/v1\/me\) is not in the table of operations/)
  assert.throws(() => readDocument(strange), /getMe is in the table of operations, and in no document/)
  const laxer = JSON.parse(
    document.replace('"x-auricle-needs":"recording.mark"', '"x-auricle-needs":"self.read"'),
  )
  assert.throws(() => readDocument(laxer), /markRecording needs self.read by its document/)
})

test('what an operation says that it needs is what is decided', async () => {
  const wrong: string[] = []
  for (const one of described) {
    for (const line of one.lines) {
      const member = { type: 'member', who: 'everybody', roles: everyRole, token: 'fresh' } as const
      const [first] = casesOf([{ ...one, lines: [line] }])
      assert.ok(first !== undefined)
      decided.length = 0
      await caller.ask({ ...first, side: 'home', caller: { ...member, options: {}, isDisabled: false } })
      // The router decides what is one's own; all else the use case, which may decide more than once.
      const before = line.needs.startsWith('self.') ? [line.needs] : []
      const expected = line.needs === 'public' ? [] : [...new Set([...before, line.decides])]
      if (String([...new Set(decided)]) === String(expected)) continue
      wrong.push(`${line.operation} ${line.use ?? ''} on ${line.on} decides ${decided}, not ${expected}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('everybody gets what the table says, nobody anything else, and whoever is refused is in the log', {
  timeout: timeoutMs,
}, async t => {
  const startedMs = performance.now()
  const cases = casesOf(described)
  const answers: Asked[] = []
  const waiting = cases.values()
  const work = async () => {
    for (const one of waiting) answers.push(await caller.ask(one))
  }
  await Promise.all(Array.from({ length: callsAtOnce }, work))
  const seconds = Math.round((performance.now() - startedMs) / 1000)

  const unexpected = answers.filter(
    ({ got, asked }) => !got.split(' or ').some(word => asked.expected.includes(word)),
  )
  t.diagnostic(
    `authorisation matrix: ${cases.length.toLocaleString('en-US')} calls of ${described.length} operations in ` +
      `${seconds} s, ${unexpected.length} unexpected`,
  )
  assert.equal(unexpected.length, 0, tellAll(unexpected))
  const leaks = answers.filter(({ foreignIds }) => foreignIds.length > 0)
  assert.equal(leaks.length, 0, tellAll(leaks))

  const events = await auditEvents(vault, world.home.tenantId)
  const refusals = new Set(events.filter(({ outcome }) => outcome === 'denied').map(({ request }) => request))
  const silent = answers.filter(answer => isRefusalOfSomebody(answer) && !refusals.has(answer.requestId))
  assert.equal(silent.length, 0, `not in the log:\n${tellAll(silent)}`)
})

/** Whoever came with a token that holds was refused by a decision about them. */
function isRefusalOfSomebody({ got, asked }: Asked): boolean {
  return (
    got !== asked.line.answer &&
    asked.caller.type === 'member' &&
    (/^(denied|purpose-required|step-up-required)/.test(got) ||
      (got === 'not-found' && asked.line.on === 'recording'))
  )
}

function tell({ asked, got, detail }: Asked): string {
  const { line, caller: who, side, place, label, purpose, expected }: Case = asked
  const person =
    who.type === 'member'
      ? [who.who, who.token, ...Object.values(who.options), who.isDisabled].join(' ')
      : who.type
  const thing = [line.on, side, place, label, purpose].filter(word => word !== null).join(' ')
  return `${line.operation} ${line.use ?? ''} | ${person} | ${thing}: ${expected.join(' or ')}, got ${got} ${detail}`
}

/** An example of each kind, with how many there are. */
function tellAll(some: readonly Asked[]): string {
  const kinds = Map.groupBy(some, ({ asked: { line, expected }, got }) =>
    [line.operation, line.use, line.on, expected, got].join(),
  )
  return [...kinds.values()].map(alike => `${alike.length} x ${alike.slice(0, 1).map(tell)}`).join('\n')
}
