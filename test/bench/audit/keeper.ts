// The keeper of the log in a process of its own, told when to work: through a backlog, or for a while as the worker does.
import { setTimeout as delay } from 'node:timers/promises'
import { createLogger, openAdapters, readConfig } from '@auricle/runtime'
import { createEventWriter, createLogKeeper, createWitnesses } from '@auricle/vault'
import { serveParent } from '../system/child.ts'

export type KeeperQuestion =
  /** Everything that there is, in one go. */
  | { readonly work: 'seal' }
  /** Sealing and publishing by turns, with the pauses of the worker. */
  | { readonly work: 'keep'; readonly forMs: number }

export interface KeeperAnswer {
  readonly tookMs: number
  /** Of each event that was sealed, from its statement to the commit of its place. */
  readonly sealedMs: readonly number[]
}

const sealPauseMs = 500
const publishPauseMs = 10_000

const { config, secrets } = readConfig(process.env)
const logger = createLogger({ ...config.log, level: 'error' })
const adapters = await openAdapters({
  stamper: createEventWriter({ name: 'bench' }),
  ...{ config, secrets, logger },
  database: 'join',
})
let sealedMs: number[] = []
const keeper = createLogKeeper({
  ...{ catalog: adapters.catalog, store: adapters.logStore, keys: adapters.keys },
  name: config.logName,
  witnesses: createWitnesses({ witnesses: [] }),
  watch: {
    sealed(agesMs) {
      for (const ageMs of agesMs) sealedMs.push(ageMs)
    },
    refused(_tenantId, code, error) {
      throw new Error(`The log was not gone on with: ${code}`, { cause: error })
    },
  },
})

async function sealAll(): Promise<void> {
  while (await keeper.seal({}));
}

async function repeat(work: () => Promise<void>, pauseMs: number, untilMs: number): Promise<void> {
  while (performance.now() < untilMs) {
    await work()
    await delay(pauseMs)
  }
}

serveParent(null, async (question: KeeperQuestion): Promise<KeeperAnswer> => {
  sealedMs = []
  const startedMs = performance.now()
  if (question.work === 'seal') await sealAll()
  else {
    const untilMs = startedMs + question.forMs
    await Promise.all([
      repeat(sealAll, sealPauseMs, untilMs),
      repeat(() => keeper.publish({}), publishPauseMs, untilMs),
    ])
  }
  return { tookMs: performance.now() - startedMs, sealedMs }
})
