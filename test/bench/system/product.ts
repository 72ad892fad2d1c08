// One real service at a time, as a process of its own, on the harness's database, folder of objects and keys.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DatabaseSettings } from '@auricle/runtime/postgres'
import type { openStack, ServiceName } from '../../harness/stack.ts'

export type Place = Awaited<ReturnType<typeof openStack>>

export interface RunningService extends AsyncDisposable {
  readonly pid: number
}

/** What of a service's environment is otherwise. */
interface Change {
  readonly env?: Readonly<Record<string, string>>
  readonly without?: readonly string[]
}

const readyMessages: Readonly<Record<ServiceName, string>> = {
  ingest: 'Listening',
  worker: 'Working',
  api: 'Listening',
}
const startMostMs = 120_000
const pollMs = 50

/** The variables that a service reads, and the paths of a shell; nothing of our own environment. */
export function serviceEnvironment(
  { postgres, dataFolder, urls, temporaryFolder, google }: Place,
  name: ServiceName,
): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: temporaryFolder,
    TMPDIR: temporaryFolder,
    DATABASE_URL: databaseUrl(postgres.app),
    AURICLE_DATA: dataFolder,
    AURICLE_INGEST_PORT: new URL(urls.ingest).port,
    AURICLE_API_PORT: new URL(urls.api).port,
    AURICLE_LOG_LEVEL: 'info',
    AURICLE_LOG_FORMAT: 'json',
    ...google?.env(name),
  }
}

/**
 * Resolves when it can work; disposing stops it by its pid. Its log goes straight to a file: through a pipe it would
 * wake this process with every line, and the two share their cores. `without`: variables that it does not get.
 */
export async function startOne(
  place: Place,
  name: ServiceName,
  { env: more = {}, without = [] }: Change = {},
): Promise<RunningService> {
  const cwd = join(place.temporaryFolder, name)
  mkdirSync(cwd, { recursive: true })
  const logFile = join(place.logFolder, `${name}.log`)
  const log = openSync(logFile, 'w', 0o600)
  const main = fileURLToPath(new URL(`../../../services/${name}/src/main.ts`, import.meta.url))
  const env = { ...serviceEnvironment(place, name), ...more }
  for (const variable of without) delete env[variable]
  const child = spawn(process.execPath, [main], {
    env,
    cwd,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const exited = once(child, 'exit')
  const isReady = () => readFileSync(logFile, 'utf8').includes(`"msg":"${readyMessages[name]}"`)
  const untilMs = performance.now() + startMostMs
  while (!isReady()) {
    if (child.exitCode !== null || performance.now() > untilMs) {
      child.kill('SIGKILL')
      throw new Error(`${name} does not start:\n${readFileSync(logFile, 'utf8')}`)
    }
    await delay(pollMs)
  }
  const { pid } = child
  if (pid === undefined) throw new Error(`${name} has no pid`)
  return {
    pid,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function databaseUrl({ host, port, database, user, password }: DatabaseSettings): string {
  const part = encodeURIComponent
  return `postgres://${part(user)}:${part(password)}@localhost:${port}/${part(database)}?host=${part(host)}`
}
