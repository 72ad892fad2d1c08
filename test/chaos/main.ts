// Chaos: real deliveries while ingest, worker and PostgreSQL are killed at random, and then the count of what is left.
// On Google's services these fail besides, and Redis is emptied and killed.
//
//   npm run chaos -- --seed 1 --deliveries 500 --kills 20 --backend google
import '../harness/own-roots.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startAudioHost } from '../harness/audio-host.ts'
import { openClinic } from '../harness/clinic.ts'
import { findProcesses } from '../harness/processes.ts'
import { freshSeed } from '../harness/random.ts'
import { readSamples } from '../harness/samples.ts'
import { openStack, parseBackend, type Stack } from '../harness/stack.ts'
import { createVerdict, mebibytes, printTable, say, seconds } from '../harness/verdict.ts'
import { checkAll } from './checks.ts'
import { checkFaults, startFaults } from './faults.ts'
import { killAsPlanned } from './killer.ts'
import { makePlan, type Plan, type Victim } from './plan.ts'
import { type RedisTroubles, troubleRedis } from './redis-trouble.ts'
import { bodyOf, createSender, type Sender } from './sender.ts'

const lanes = 6
const archiveMostMs = 20 * 60_000
const progressEveryMs = 5_000
const pollMs = 250

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    deliveries: { type: 'string', default: '500' },
    kills: { type: 'string', default: '20' },
    backend: { type: 'string', default: 'local' },
    keep: { type: 'boolean', default: false },
  },
})
const seed = values.seed === undefined ? freshSeed() : Number(values.seed)
const deliveries = Number(values.deliveries)
const kills = Number(values.kills)
if (![seed, deliveries, kills].every(Number.isSafeInteger)) throw new RangeError('Give whole numbers')
const backend = parseBackend(values.backend)

const startedMs = performance.now()
const verdict = createVerdict()
const samples = readSamples()
const plan = makePlan(samples, { seed, deliveries, kills })
printPlan(plan)
await run()
say(
  `took ${seconds(performance.now() - startedMs)}; again with: npm run chaos -- --seed ${seed} --backend ${backend}`,
)
verdict.finish('chaos')

async function run(): Promise<void> {
  await using opening = new AsyncDisposableStack()
  const prepared = opening.use(
    await openStack({
      name: 'chaos',
      logLevel: 'info',
      workerConcurrency: 3,
      recovery: true,
      backend,
      seed,
      keep: values.keep,
    }),
  )
  if (values.keep) say(`everything stays in ${prepared.folder}`)
  const host = opening.use(
    await startAudioHost(path => {
      const recording = plan.recordings[Number(path.slice(1))]
      return recording === undefined
        ? null
        : {
            bytes: bodyOf(recording),
            contentType: recording.sample.contentType,
            firstAnswer: recording.firstAnswer,
          }
    }),
  )
  const clinic = await openClinic(prepared, {
    slug: 'chaos',
    name: 'Chaos Clinic',
    mailboxAddress: '2001',
    mailboxName: 'Front desk',
    clinicianName: 'Clinician',
    password: 'a password for a test only',
    allowedHosts: [{ origin: host.origin, privateCidr: '127.0.0.0/8' }],
  })
  const stack = await prepared.startServices()
  const sender = createSender(clinic, stack.urls.ingest, host.origin)
  const faults = stack.google === null ? null : await startFaults(stack.google)
  const { killed, redis } = await storm(stack, sender)
  const [ingest, worker, api] = [stack.services.ingest, stack.services.worker, stack.services.api]
  // What follows looks at a vault at rest; the api goes on serving.
  await ingest.stop()
  await worker.stop()
  if (faults !== null) checkFaults(await faults.end(), verdict)
  if (redis !== null)
    verdict.check(
      redis.flush >= 5 && redis.kill >= 3,
      'Redis was emptied and killed as planned',
      `${redis.flush} times emptied (${redis.keysLost} keys), ${redis.kill} times killed`,
    )
  verdict.check(
    Object.values(killed).reduce((sum, count) => sum + count, 0) >= kills &&
      Object.values(killed).every(count => count >= Math.min(5, Math.ceil(kills / 3))),
    'as many processes were killed as planned',
    Object.entries(killed)
      .map(([victim, count]) => `${victim} ${count}`)
      .join(', '),
  )
  const falls = ingest.falls + worker.falls + api.falls
  verdict.check(
    falls === 0,
    'no service fell over because another one was killed',
    `${falls} fell, ${ingest.failedStarts + worker.failedStarts + api.failedStarts} starts failed while something was away`,
  )
  printAnswers(sender)
  await checkAll(stack, clinic, sender, verdict)
  await api.stop()
  const sessions = new Set([ingest, worker, api].flatMap(service => [...service.sessions]))
  const left = (await findProcesses(sessions)).map(({ pid, command }) => `${pid} ${command}`)
  verdict.check(left.length === 0, 'no process is left of those that were killed', left.join('; '))
}

interface Storm {
  readonly killed: Readonly<Record<Victim, number>>
  readonly redis: RedisTroubles | null
}

/** Deliveries and kills side by side, until everything that was taken is archived. */
async function storm(stack: Stack, sender: Sender): Promise<Storm> {
  let done = 0
  let archived = 0
  let open = 0
  let owed = 0
  const stop = new AbortController()
  const waiting = [...plan.tasks].reverse()
  const progress = (victim: Victim) =>
    victim === 'ingest'
      ? done / plan.tasks.length
      : (done + archived) / (plan.tasks.length + plan.recordings.length)
  const lane = async () => {
    for (let task = waiting.pop(); task !== undefined; task = waiting.pop()) {
      await sender.run(task)
      done++
    }
  }
  const count = async () => {
    // While the server is being started again, the last count stands.
    const answer = await stack.superuser
      .query<{ archived: number; open: number; owed: number }>(
        `select count(*) filter (where state = 'archived')::int as archived,
                count(*) filter (where state <> 'archived')::int as open,
                (select count(*)::int from auricle.recording_object where replicated_at is null) as owed
         from auricle.intake`,
      )
      .catch(() => null)
    archived = answer?.rows[0]?.archived ?? archived
    open = answer?.rows[0]?.open ?? open
    owed = answer?.rows[0]?.owed ?? owed
    return answer !== null
  }
  const counting = (async () => {
    while (!stop.signal.aborted) {
      await count()
      await delay(pollMs)
    }
  })()
  const report = setInterval(
    () =>
      say(
        `  ${done} of ${plan.tasks.length} delivered, ${archived} archived, ${open} waiting, ${owed} without a copy`,
      ),
    progressEveryMs,
  )
  const killing = killAsPlanned(stack, plan.kills, progress, { signal: stop.signal })
  const troubling =
    stack.google === null
      ? null
      : troubleRedis(stack.google.redis, plan.redis, () => progress('worker'), { signal: stop.signal })
  try {
    await Promise.all(Array.from({ length: lanes }, lane))
    say(`  all delivered after ${seconds(performance.now() - startedMs)}`)
    const until = performance.now() + archiveMostMs
    while (archived < sender.accepted.size && performance.now() < until) await delay(pollMs)
    // With everything archived, kills that waited for more progress strike now.
    done = plan.tasks.length
    archived = Math.max(archived, plan.recordings.length)
    const killed = await killing
    const redis = await troubling
    while (!(await count()) || (open > 0 && performance.now() < until)) await delay(pollMs)
    verdict.check(open === 0, 'everything that was taken is archived', `${archived} archived, ${open} not`)
    while (!(await count()) || (owed > 0 && performance.now() < until)) await delay(pollMs)
    verdict.check(owed === 0, 'nothing owes a copy to the recovery store', `${owed} objects do`)
    return { killed, redis }
  } finally {
    stop.abort()
    clearInterval(report)
    await counting
  }
}

function printPlan({ tasks, recordings, kills: planned }: Plan): void {
  const count = (type: string) => tasks.filter(task => task.type === type).length
  const repeats = (mode: string) => recordings.filter(({ repeat }) => repeat === mode).length
  const ways = (way: string) => recordings.filter(recording => recording.way === way).length
  const sizes = recordings.map(({ sizeBytes, sample }) => sizeBytes ?? sample.bytes.length)
  const duplicates = recordings.filter(({ repeat }) => repeat !== 'none').length
  say(`chaos with seed ${seed}`)
  printTable(
    ['plan', ''],
    [
      ['deliveries', String(recordings.length + duplicates + count('cut'))],
      ['  recordings', String(recordings.length)],
      ['    by multipart, upload, URL', `${ways('multipart')}, ${ways('upload')}, ${ways('url')}`],
      ['  duplicates', String(duplicates)],
      [
        '    later, at once, after a failure',
        `${repeats('later')}, ${repeats('together')}, ${repeats('after-failure')}`,
      ],
      ['  cut off in mid-body', String(count('cut'))],
      ['besides: forged, other content under the same id', `${count('forged')}, ${count('conflict')}`],
      [
        'audio',
        `${mebibytes(sizes.reduce((sum, size) => sum + size, 0))}, ${Math.min(...sizes)} to ${Math.max(...sizes)} bytes`,
      ],
      ['samples as they are', String(recordings.filter(({ sizeBytes }) => sizeBytes === null).length)],
      ['kills', String(planned.length)],
    ],
  )
}

function printAnswers(sender: Sender): void {
  const answers = [...sender.answers].sort(([a], [b]) => a.localeCompare(b))
  printTable(
    ['answers', ''],
    [
      ...answers.map(([name, count]) => [name, String(count)]),
      ['tried again', String(sender.retries)],
      ['sent', mebibytes(sender.sentBytes)],
    ],
  )
}
