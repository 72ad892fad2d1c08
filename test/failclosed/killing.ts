// Listeners of real processes while API and PostgreSQL are killed with SIGKILL under them.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Receipt } from '@auricle/contract'
import { waitUntilArchived } from '../bench/system/archive.ts'
import { type Clinic, openClinic } from '../harness/clinic.ts'
import { deliver } from '../harness/delivery.ts'
import { createRandom, type Random } from '../harness/random.ts'
import { openStack, type Stack } from '../harness/stack.ts'
import type { Listener } from './judge.ts'
import { addressOf, type Heard, listen, markedWav } from './listener.ts'

const wavSeconds = 60
const archiveMostMs = 120_000
const sendMostMs = 60_000
const patienceMs = 10_000
const pollMs = 20
/** What is started again works for about as long before it is killed again. */
const [workLeastMs, workMostMs] = [300, 2_500]
const seeksMost = 2

export interface KillingOptions {
  readonly seed: number
  /** Of each. */
  readonly kills: number
  readonly lanes: number
}

export interface KillingResult {
  readonly listeners: readonly Listener[]
  readonly killed: { readonly api: number; readonly postgres: number }
  readonly falls: number
}

/** `examine` looks at what is left while everything is up again. */
export async function killUnderLoad<Result>(
  options: KillingOptions,
  examine: (stack: Stack, result: KillingResult) => Promise<Result>,
): Promise<Result> {
  const random = createRandom(options.seed)
  await using prepared = await openStack({ name: 'failclosed', logLevel: 'info', workerConcurrency: 1 })
  const clinic = await openClinic(prepared, {
    slug: 'failclosed',
    name: 'Fail-closed Clinic',
    mailboxAddress: '2001',
    mailboxName: 'Front desk',
    clinicianName: 'Clinician',
    password: 'a password for a test only',
    allowedHosts: [],
  })
  const stack = await prepared.startServices()
  const recordingId = await bringIn(stack, clinic)
  await stack.services.ingest.stop()
  await stack.services.worker.stop()

  const url = `${stack.urls.api}/v1/recordings/${recordingId}/audio?role=original`
  const listeners: Listener[] = []
  const stop = new AbortController()
  let next = 0
  const lanes = Array.from({ length: options.lanes }, async () => {
    const own = createRandom(random.integer(0, 2 ** 31))
    while (!stop.signal.aborted) {
      listeners.push(await listenOnce(url, clinic.clinician.token, addressOf(next++), own))
    }
  })
  const killed = { api: 0, postgres: 0 }
  for (let round = 0; round < options.kills * 2; round++) {
    await stack.services.api.ready()
    await untilHeard(listeners)
    await delay(random.integer(workLeastMs, workMostMs))
    if (round % 2 === 0) {
      await stack.services.api.kill()
      killed.api++
    } else {
      await killPostgres(stack)
      killed.postgres++
    }
  }
  await stack.services.api.ready()
  await untilHeard(listeners)
  stop.abort()
  await Promise.all(lanes)
  const { falls } = stack.services.api
  await stack.services.api.stop()
  // Twice more, so that what is read is what a server has that lost all of its memory.
  for (let more = 0; more < 2; more++) await killPostgres(stack)
  await untilAnswers(stack)
  return await examine(stack, { listeners, killed, falls })
}

async function bringIn(stack: Stack, clinic: Clinic): Promise<string> {
  const answer = await deliver('upload', {
    ingestUrl: stack.urls.ingest,
    point: clinic.upload,
    sourceId: randomUUID(),
    facts: { kind: 'voicemail', mailbox: clinic.mailbox, patient_reference: 'MRN-1' },
    audio: markedWav(wavSeconds),
    contentType: 'audio/wav',
    fileName: 'marked.wav',
    timeoutMs: sendMostMs,
  })
  const { recording } = Receipt.parse(JSON.parse(answer.body.toString()))
  await waitUntilArchived(stack, recording, archiveMostMs)
  return recording
}

async function listenOnce(url: string, token: string, ip: string, own: Random): Promise<Listener> {
  const heard: (Heard & { start: number })[] = []
  for (let ask = own.integer(0, seeksMost); ask >= 0; ask--) {
    const start = own.integer(0, 100_000)
    const range = own.fraction() < 0.5 ? null : { start, end: start + own.integer(1, 300_000) }
    heard.push({ ...(await listen({ url, token, ip, range, patienceMs }, false)), start: range?.start ?? 0 })
  }
  // A door that is shut is not knocked at as fast as can be.
  if (heard.every(({ status }) => status === null)) await delay(pollMs)
  return { ip, heard }
}

/** Somebody has heard something since now. */
async function untilHeard(listeners: readonly Listener[]): Promise<void> {
  const before = listeners.length
  const until = performance.now() + archiveMostMs
  while (!listeners.slice(before).some(({ heard }) => heard.some(({ audioBytes }) => audioBytes > 0))) {
    if (performance.now() > until) throw new Error('nothing is heard any more')
    await delay(pollMs)
  }
}

async function killPostgres({ postgres }: Stack): Promise<void> {
  while (postgres.pid === null) await delay(pollMs)
  const { pid } = postgres
  process.kill(pid, 'SIGKILL')
  while (postgres.pid === pid) await delay(pollMs)
}

async function untilAnswers({ superuser }: Stack): Promise<void> {
  const until = performance.now() + archiveMostMs
  for (;;) {
    const answers = await superuser.query('select 1').then(
      () => true,
      () => false,
    )
    if (answers) return
    if (performance.now() > until) throw new Error('PostgreSQL does not come back')
    await delay(pollMs)
  }
}
