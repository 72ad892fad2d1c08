// The commands that change connectors and a tenant's limits, as the operator meets them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { type CommandFolder, openCommandFolder } from '../../../test/command.ts'

let place: CommandFolder

before(async () => {
  place = await openCommandFolder()
  const service = place.start(['start'])
  await service.said('Ctrl')
  await good('tenant', 'create', 'clinic', '--name', 'A clinic')
})
after(() => place[Symbol.asyncDispose]())

async function good(...args: readonly string[]): Promise<string> {
  const ran = await place.run(args)
  assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.stderr}`)
  return ran.stdout.toString()
}

async function bad(...args: readonly string[]): Promise<string> {
  const ran = await place.run(args)
  assert.equal(ran.code, 2, `${args.join(' ')}: ${ran.stdout.toString()}${ran.stderr}`)
  assert.doesNotMatch(ran.stderr, /^ {4}at /m)
  return ran.stderr
}

const Secret = z.object({ id: z.string(), secret: z.string(), url: z.string() })
const Rotated = Secret.extend({ previousUntil: z.iso.datetime().nullable() })

test('a connector gets a new secret, shown once, and is disabled for good', async () => {
  const made = Secret.parse(
    JSON.parse(await good('connector', 'create', 'upload', '--name', 'PBX', '--json')),
  )
  const rotated = Rotated.parse(
    JSON.parse(await good('connector', 'rotate', made.id, '--overlap', '2h', '--json')),
  )
  assert.equal(rotated.id, made.id)
  assert.equal(rotated.url, made.url)
  assert.notEqual(rotated.secret, made.secret)
  assert.ok(rotated.previousUntil !== null)
  assert.match(await bad('connector', 'rotate', made.id), /still hold/)
  const text = await good('connector', 'rotate', made.id, '--end-overlap', '--overlap', '0m')
  assert.match(
    text,
    /Made a new secret for connector PBX .*\n.*deliver to .*\{name\}\n.*\nThe old secret holds no longer/,
  )
  const list = await good('connector', 'list', '--json')
  assert.ok(!list.includes(rotated.secret) && !list.includes(made.secret))

  assert.match(await bad('connector', 'rotate', made.id, '--overlap', '8d'), /up to 7d/)
  assert.match(await bad('connector', 'rotate', made.id, '--overlap', 'long'), /90m, 24h or 7d/)
  for (const id of ['nonsense', 'con_01jd3w8h9k6n2q4s5t7v8x9y0z'])
    assert.match(await bad('connector', 'rotate', id), /has no connector ".*"; `auricle connector list`/)
  assert.match(await good('connector', 'disable', made.id), /is disabled/)
  assert.match(await bad('connector', 'disable', made.id), /disabled already/)
  assert.match(await bad('connector', 'rotate', made.id), /disabled/)
})

test("a tenant's limits are shown, made stricter, and never laxer", async () => {
  const Limits = z.object({
    idleMs: z.int(),
    sessionMs: z.int(),
    breakGlassMs: z.int(),
    reviewMs: z.int(),
  })
  const limits = async (...args: readonly string[]) =>
    Limits.parse(JSON.parse(await good('tenant', 'limits', ...args, '--json')))
  const hourMs = 3_600_000
  const first = await limits()
  assert.deepEqual(first, {
    idleMs: hourMs / 4,
    sessionMs: 12 * hourMs,
    breakGlassMs: hourMs,
    reviewMs: 72 * hourMs,
  })
  const changed = await limits('--idle', '10m', '--review', '1d')
  assert.deepEqual(changed, { ...first, idleMs: hourMs / 6, reviewMs: 24 * hourMs })
  assert.deepEqual(await limits(), changed)
  for (const [option, value] of [
    ['--idle', '16m'],
    ['--session', '13h'],
    ['--break-glass', '5h'],
    ['--review', '8d'],
    ['--idle', '0m'],
  ] as const)
    assert.match(await bad('tenant', 'limits', option, value), /stricter, not laxer/)
  assert.deepEqual(await limits(), changed)
})
