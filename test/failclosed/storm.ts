// Requests for audio from a real API service on a real PostgreSQL, while everything on the way to the first byte fails.
//
// The service lives many short lives, each with its weather of the database and with a second sink that works, fails now
// and then, or is not there. Each lane is a tenant with one recording; its listeners come one after the other, each from
// an address of their own, and most of them meet a fault at one seam: first each kind at each seam, then at random. Between lives everything is fine for a moment, so
// that a life ends in good order and what it owes to the log is written.
import { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createCatalog, createPool } from '@auricle/catalog'
import type { RecordingId } from '@auricle/contract'
import { createFolderStore, type FolderStore } from '@auricle/objects'
import { createEventLog, createEventWriter, type DurableEvent, type EventAppender } from '@auricle/vault'
import { archiveAudio } from '../archived.ts'
import { type Front, openFront } from '../front.ts'
import { createRandom, type Random } from '../harness/random.ts'
import { type Clinic, makeClinic, type TestVault } from '../vault.ts'
import type { Listener } from './judge.ts'
import { addressOf, type Heard, listen, markedWav } from './listener.ts'
import { type Fault, kinds, placeSeams, type Seams, seams } from './seams.ts'
import { createWeather, type Weather, type WeatherMaker, weathers } from './weather.ts'

const application = 'failclosed'
const wavSeconds = 12
const hangMs = 250
const patienceMs = 1_500
const lateMostMs = 30
const idleMs = 300
/** A hundredth of what is usual, so that a run meets each of them often. */
const logTimes = { gatherMs: 3, hedgeMs: 60, refuseMs: 200, retryMs: 100, beatMs: 500 }
const nthMost = 3
const seeksMost = 2
/** The tenant's own row and secret are asked for once a life. */
export const everyTime = seams.filter(seam => seam !== 'tenant')
const faultShare = 0.7
const leavingShare = 0.1
const settleMs = 400

export interface StormOptions {
  readonly seed: number
  readonly requests: number
  readonly lanes: number
  /** After as many requests the service is stopped and started again. */
  readonly requestsOfALife: number
  /** A way around the log, to see that it is found. Default: none. */
  readonly bypass?: boolean
  readonly onLife?: (life: { readonly weather: Weather; readonly sink: Sink; readonly done: number }) => void
}

export type Sink = 'works' | 'fails now and then' | 'is not there'
const sinks: readonly Sink[] = ['works', 'fails now and then', 'is not there']

export interface StormResult {
  readonly listeners: readonly Listener[]
  readonly logStore: FolderStore
  readonly lives: number
  /** How often each fault was met, as `seam nth kind`. */
  readonly met: ReadonlyMap<string, number>
  /** Statuses of answers, `none` where there was none. */
  readonly statuses: ReadonlyMap<string, number>
}

interface Lane {
  readonly clinic: Clinic
  readonly recording: RecordingId
  readonly token: string
  readonly sizeBytes: number
}

export async function storm(vault: TestVault, options: StormOptions): Promise<StormResult> {
  const random = createRandom(options.seed)
  const weather = await createWeather(vault.database.superuserPool, application)
  const logStore = createFolderStore({ folder: join(vault.folder, 'log-store') })
  const lanes = await openLanes(vault, options.lanes)
  const listeners: Listener[] = []
  const met = new Map<string, number>()
  const statuses = new Map<string, number>()
  const address = { next: 0 }
  const planned = plannedFaults()
  let [lives, done] = [0, 0]
  while (done < options.requests) {
    const life = {
      weather: lives === 0 ? ('fine' as const) : random.pick(weathers),
      sink: lives === 0 ? ('fails now and then' as const) : random.pick(sinks),
      done,
    }
    lives++
    const goal = Math.min(options.requestsOfALife, options.requests - done)
    const lived = await live(vault, {
      lanes,
      random,
      weather,
      logStore,
      goal,
      life,
      bypass: options.bypass === true,
      planned,
      address,
    })
    listeners.push(...lived.listeners)
    for (const [name, count] of lived.met) met.set(name, (met.get(name) ?? 0) + count)
    for (const { heard } of lived.listeners) {
      for (const { status } of heard) {
        const name = status === null ? 'none' : String(status)
        statuses.set(name, (statuses.get(name) ?? 0) + 1)
      }
      done += heard.length
    }
    options.onLife?.({ ...life, done })
  }
  return { listeners, logStore, lives, met, statuses }
}

interface Planned {
  readonly faults: readonly Fault[]
  tries: number
}

const triesMost = 40
/** What the log asks its second sink for, the first has failed to do. */
const beforeLate: Fault = { seam: 'append', nth: 1, kind: 'refuse' }

/** Each kind at each seam that a playback which begins comes to in any case. */
function plannedFaults(): Planned[] {
  return everyTime.flatMap(seam =>
    kinds.map(kind => ({
      faults: [...(seam === 'late' ? [beforeLate] : []), { seam, nth: 1, kind }],
      tries: 0,
    })),
  )
}

async function openLanes(vault: TestVault, count: number): Promise<readonly Lane[]> {
  const wav = markedWav(wavSeconds)
  await using front = await openFront(vault)
  const lanes: Lane[] = []
  for (let index = 0; index < count; index++) {
    const clinic = await makeClinic(vault)
    const recording = await archiveAudio(vault, clinic, wav, { sourceId: 'one' }, { audio: null })
    lanes.push({ clinic, recording, token: await front.tokenOf(clinic.clinician), sizeBytes: wav.length })
  }
  return lanes
}

interface Life {
  readonly lanes: readonly Lane[]
  readonly random: Random
  readonly weather: WeatherMaker
  readonly logStore: FolderStore
  readonly goal: number
  readonly life: { readonly weather: Weather; readonly sink: Sink }
  readonly bypass: boolean
  /** To be met before others are drawn; what was not met comes back. */
  readonly planned: Planned[]
  /** Of the next listener. */
  readonly address: { next: number }
}

async function live(vault: TestVault, given: Life) {
  const { lanes, random, weather, logStore, goal, life, bypass, planned, address } = given
  await using opening = new AsyncDisposableStack()
  const pool = opening.adopt(
    createPool(vault.database.app, { maxConnections: lanes.length + 4, applicationName: application }),
    opened => opened.end(),
  )
  const writer = createEventWriter({ name: 'api' })
  const catalog = createCatalog({ pool, stamper: writer })
  const { keyService, noteKeyUse, objects } = vault
  const cut = weather.cut
  const placed = placeSeams({ catalog, keyService, noteKeyUse, objects, logStore, cut, hangMs })
  const store = life.sink === 'is not there' ? null : placed.late
  const faulty = { ...catalog, ...placed.catalog }
  const durable = opening.use(createEventLog({ catalog: faulty, writer, store, times: logTimes }))
  const log = bypass ? { ...durable, ...skipping(durable) } : durable
  const front = opening.use(
    await openFront(vault, {
      ...{ catalog: faulty, log, objects: placed.objects, keys: placed.keys },
      ...{ noteKeyUse: placed.noteKeyUse, streams: { idleMs } },
    }),
  )
  const listeners: Listener[] = []
  let left = goal
  {
    await using _made = await weather.make(life.weather)
    const canFail = seams.filter(seam => seam !== 'late' || life.sink === 'fails now and then')
    await Promise.all(
      lanes.map(async lane => {
        const own = createRandom(random.integer(0, 2 ** 31))
        using agent = keptAgent()
        while (left > 0) {
          const asks = Math.min(left, 1 + own.integer(0, seeksMost))
          left -= asks
          const ip = addressOf(address.next++)
          listeners.push(
            await listenOnce({ front, lane, placed, own, asks, ip, canFail, planned, agent: agent.agent }),
          )
        }
      }),
    )
  }
  for (const { clinic } of lanes) placed.arm(clinic.tenant.id, [])
  // Idle playbacks end, and the log has time to take what it could not.
  await delay(settleMs)
  return { listeners, met: placed.met }
}

interface Asking {
  readonly front: Front
  readonly lane: Lane
  readonly placed: Seams
  readonly own: Random
  readonly asks: number
  readonly ip: string
  readonly canFail: readonly Fault['seam'][]
  readonly planned: Planned[]
  readonly agent: Agent
}

/** One playback and its seeks, or what becomes of them. */
async function listenOnce(asking: Asking): Promise<Listener> {
  const { front, lane, placed, own, asks, ip, planned, agent } = asking
  const tenantId = lane.clinic.tenant.id
  const url = `${front.url}/v1/recordings/${lane.recording}/audio?role=original`
  const heard: (Heard & { start: number })[] = []
  for (let ask = 0; ask < asks; ask++) {
    const plan = ask === 0 ? planned.shift() : undefined
    placed.arm(tenantId, plan?.faults ?? drawFaults(asking))
    const start = own.integer(0, lane.sizeBytes - 1)
    const range = own.fraction() < 0.5 ? null : { start, end: own.integer(start + 1, lane.sizeBytes) }
    const leaves = plan === undefined && own.fraction() < leavingShare
    const wish = {
      ...{ url, token: lane.token, ip, range },
      patienceMs: leaves ? own.integer(0, lateMostMs) : patienceMs,
    }
    heard.push({ ...(await listen(wish, agent)), start: range?.start ?? 0 })
    if (plan === undefined || placed.hasMetAll(tenantId)) continue
    // The log may have been at its second sink alone, or the tenant's secret not at hand.
    if (++plan.tries < triesMost) planned.push(plan)
  }
  return { ip, heard }
}

function drawFaults({ own, canFail }: Asking): readonly Fault[] {
  if (own.fraction() >= faultShare) return []
  return [{ seam: own.pick(canFail), nth: own.integer(1, nthMost), kind: own.pick(kinds) }]
}

function keptAgent(): { readonly agent: Agent } & Disposable {
  const agent = new Agent({ keepAlive: true })
  return { agent, [Symbol.dispose]: () => agent.destroy() }
}

/** Shows the key service an event of before in the place of one that it never wrote. */
function skipping(log: EventAppender): EventAppender {
  const earlier = new Map<string, DurableEvent>()
  return {
    async append(record, options) {
      const before = earlier.get(record.tenantId)
      if (before !== undefined && record.event.action === 'recording.played') return before
      const event = await log.append(record, options)
      earlier.set(record.tenantId, event)
      return event
    },
  }
}
