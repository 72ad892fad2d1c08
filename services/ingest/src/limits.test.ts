// Too many failures at the door, and messages whose id comes again: what is refused, and that nobody else notices.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type ProblemName, problems, Receipt } from '@auricle/contract'
import { createPostgresLimits, createRedisLimits, type Limits, LimitsError } from '@auricle/limits'
import { createStandardDelivery } from '@auricle/pbx'
import { auditEvents } from '../../../test/audit-log.ts'
import { addPbx, openDoor } from '../../../test/door.ts'
import type { DeliveryPoint } from '../../../test/harness/clinic.ts'
import { type Answer, inPieces, send } from '../../../test/harness/http-client.ts'
import { startRedis } from '../../../test/redis.ts'
import { type Clinic, makeClinic, openTestVault, sample, type TestVault } from '../../../test/vault.ts'

const timeoutMs = 20_000
const failuresLetThrough = 60

let vault: TestVault
let clinic: Clinic
let wav: Buffer
let ogg: Buffer

before(async () => {
  vault = await openTestVault()
  clinic = await makeClinic(vault)
  wav = await sample('voicemail-short.wav')
  ogg = await sample('voicemail.ogg')
})
after(() => vault[Symbol.asyncDispose]())

function put(url: string, point: DeliveryPoint, name: string, headers: Record<string, string> = {}) {
  return send({
    method: 'PUT',
    url: `${url}/v1/ingest/${point.id}/${name}`,
    headers: { authorization: `Bearer ${point.secret}`, 'content-length': String(wav.length), ...headers },
    body: inPieces(wav),
    timeoutMs,
  })
}

const wrong = { authorization: 'Bearer wrong' }

function assertIs(answer: Answer, name: ProblemName): void {
  const text = answer.body.toString()
  assert.deepEqual([answer.status, JSON.parse(text).type], [problems[name].status, problems[name].type], text)
}

const receiptOf = ({ status, body }: Answer) => {
  assert.equal(status, 200, body.toString())
  return Receipt.parse(JSON.parse(body.toString()))
}

/** A clock of the limits that stands still, so that no test depends on how fast it runs. */
const frozen = (): Limits =>
  createPostgresLimits({
    connection: vault.database.app,
    now: () => 1_800_000_000_000,
    onError: error => assert.fail(error),
  })

test('a sender that fails again and again has to wait, and nobody else does', async () => {
  await using limits = frozen()
  await using door = await openDoor(vault, { limits })
  const [guessed, other] = [await addPbx(vault, clinic, 'upload'), await addPbx(vault, clinic, 'upload')]
  for (let i = 0; i < failuresLetThrough; i++)
    assertIs(await put(door.url, guessed, 'x.wav', wrong), 'badSignature')
  const refused = await put(door.url, guessed, 'x.wav', wrong)
  assertIs(refused, 'tooManyAttempts')
  assert.equal(refused.headers['retry-after'], '1')

  // From elsewhere, as a proxy on this machine says: the PBX itself, which the guesser must not shut out.
  const elsewhere = { 'x-forwarded-for': '203.0.113.7' }
  receiptOf(await put(door.url, guessed, 'elsewhere.wav', elsewhere))
  receiptOf(await put(door.url, other, 'other.wav'))
  assertIs(await put(door.url, other, 'x.wav', wrong), 'badSignature')
})

test('a refusal for now loses nothing: the same delivery is taken when the wait is over', async () => {
  await using door = await openDoor(vault)
  const point = await addPbx(vault, clinic, 'upload')
  let refused: Answer
  do refused = await put(door.url, point, 'x.wav', wrong)
  while (refused.status !== problems.tooManyAttempts.status)
  let answer = await put(door.url, point, 'late.wav')
  while (answer.status === problems.tooManyAttempts.status) answer = await put(door.url, point, 'late.wav')
  receiptOf(answer)
})

test('deliveries as agreed are never counted, however many', async () => {
  const asked: string[] = []
  const counting: Limits = {
    ...vault.limits,
    take(key, ...rest) {
      asked.push(key)
      return vault.limits.take(key, ...rest)
    },
  }
  await using door = await openDoor(vault, { limits: counting })
  const point = await addPbx(vault, clinic, 'upload')
  for (let i = 0; i < 5; i++) receiptOf(await put(door.url, point, `${i}.wav`))
  assert.deepEqual(asked, [])
})

test('all places together may guess at a connector, and at connectors that are not there, only so often', async () => {
  await using limits = frozen()
  const drain = async (key: string) => {
    while ((await limits.take(key, { burst: 600, everyMs: 50 })).allowed);
  }
  const point = await addPbx(vault, clinic, 'upload')
  await drain(`ingest:failures:${point.id}`)
  await drain('ingest:failures:unknown:127.0.0.1')
  await using door = await openDoor(vault, { limits })
  assertIs(await put(door.url, point, 'x.wav', wrong), 'tooManyAttempts')
  // Right is right, whoever else guesses.
  receiptOf(await put(door.url, point, 'right.wav'))
  const nowhere = { ...point, id: 'con_x' as DeliveryPoint['id'] }
  assertIs(await put(door.url, nowhere, 'x.wav'), 'tooManyAttempts')
  receiptOf(await put(door.url, point, 'right-still.wav'))
})

interface Message {
  readonly id: string
  readonly source: string
  readonly audio?: Buffer
  readonly note?: string
  readonly at?: Date
}

async function post(url: string, point: DeliveryPoint, message: Message): Promise<Answer> {
  const { id, source, audio = wav, note, at = new Date() } = message
  const { headers, body } = await createStandardDelivery({
    metadata: { type: 'voicemail.received', data: { id: source, ...(note === undefined ? {} : { note }) } },
    audio,
    contentType: 'audio/wav',
    fileName: 'message.wav',
    secret: point.secret,
    timestamp: at,
    id,
  })
  return send({ method: 'POST', url: `${url}/v1/ingest/${point.id}`, headers, body, timeoutMs })
}

const stores: readonly [string, () => Promise<{ limits: Limits } & AsyncDisposable>][] = [
  ['PostgreSQL', async () => ({ limits: vault.limits, [Symbol.asyncDispose]: async () => undefined })],
  [
    'Redis',
    async () => {
      await using opening = new AsyncDisposableStack()
      const server = opening.use(await startRedis())
      const limits = opening.use(
        createRedisLimits({ connection: server.settings, onError: error => assert.fail(error) }),
      )
      const open = opening.move()
      return { limits, [Symbol.asyncDispose]: () => open.disposeAsync() }
    },
  ],
]

for (const [name, open] of stores) {
  test(`an id that was signed stands for one message, remembered in ${name}`, async () => {
    await using store = await open()
    await using door = await openDoor(vault, { limits: store.limits })
    const point = await addPbx(vault, clinic, 'standard')
    const [id, source] = [randomUUID(), randomUUID()]
    const first = receiptOf(await post(door.url, point, { id, source }))
    // Tried again it is signed at another time, and its multipart body has another boundary.
    assert.deepEqual(
      receiptOf(await post(door.url, point, { id, source, at: new Date(Date.now() - 60_000) })),
      first,
    )

    for (const other of [
      { source, audio: ogg },
      { source: randomUUID() },
      { source, note: 'something else' },
    ]) {
      assertIs(await post(door.url, point, { id, ...other }), 'messageIdConflict')
    }
    const refusals = (await auditEvents(vault, clinic.tenant.id)).filter(
      ({ action, actor }) => action === 'delivery.refused' && actor.id === point.id,
    )
    assert.deepEqual(
      refusals.map(({ reasons }) => reasons.join()),
      Array.from({ length: 3 }, () => 'message-id-conflict'),
    )
    // Another connector's ids are its own, and the first message is still what it was.
    receiptOf(await post(door.url, await addPbx(vault, clinic, 'standard'), { id, source: randomUUID() }))
    assert.deepEqual(receiptOf(await post(door.url, point, { id, source })), first)
  })
}

test('nothing is claimed before the commit: a delivery that broke off is taken when it comes again', async () => {
  const point = await addPbx(vault, clinic, 'standard')
  const [id, source] = [randomUUID(), randomUUID()]
  const commitIntake = () =>
    Promise.reject(Object.assign(new Error('no connection'), { name: 'CatalogError', transient: true }))
  const catalog = new Proxy(vault.catalog, {
    get(target, name) {
      if (name === 'commitIntake') return commitIntake
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  await using failing = await openDoor(vault, { catalog })
  assertIs(await post(failing.url, point, { id, source }), 'unavailable')
  await using door = await openDoor(vault)
  // Even with other content: what was never taken stands for nothing.
  receiptOf(await post(door.url, point, { id, source, audio: ogg }))
})

test('while nobody knows what was seen, deliveries go on, and each is still kept once', async () => {
  const away = () => Promise.reject(new LimitsError('unavailable', 'The store of limits does not answer'))
  await using door = await openDoor(vault, { limits: { ...vault.limits, seen: away, remember: away } })
  const point = await addPbx(vault, clinic, 'standard')
  const [id, source] = [randomUUID(), randomUUID()]
  const first = receiptOf(await post(door.url, point, { id, source }))
  assert.deepEqual(receiptOf(await post(door.url, point, { id, source })), first)
  assertIs(await post(door.url, point, { id, source, audio: ogg }), 'sourceIdConflict')
})
