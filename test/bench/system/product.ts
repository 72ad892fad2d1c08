// One real service at a time, as a process of its own, on the harness's database, folder of objects and keys.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DatabaseSettings } from '@auricle/runtime/postgres'
import { type ServiceProcess, startService } from '../../harness/service-process.ts'
import type { openStack, ServiceName } from '../../harness/stack.ts'

export type Place = Awaited<ReturnType<typeof openStack>>

const readyMessages: Readonly<Record<ServiceName, string>> = {
  ingest: 'Listening',
  worker: 'Working',
  api: 'Listening',
}

/** The variables that a service reads, and the paths of a shell; nothing of our own environment. */
export function serviceEnvironment({
  postgres,
  dataFolder,
  urls,
  temporaryFolder,
}: Place): Record<string, string> {
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
  }
}

/** Resolves when it can work. Its log lies in the place's folder of logs. */
export async function startOne(place: Place, name: ServiceName): Promise<ServiceProcess> {
  const cwd = join(place.temporaryFolder, name)
  await mkdir(cwd, { recursive: true })
  const service = startService({
    name,
    main: fileURLToPath(new URL(`../../../services/${name}/src/main.ts`, import.meta.url)),
    env: serviceEnvironment(place),
    cwd,
    logFile: join(place.logFolder, `${name}.log`),
    readyMessage: readyMessages[name],
  })
  await service.ready()
  return service
}

/** Of a service that was started and has not fallen since. */
export function pidOf({ name, pid }: ServiceProcess): number {
  if (pid === null) throw new Error(`${name} does not run`)
  return pid
}

function databaseUrl({ host, port, database, user, password }: DatabaseSettings): string {
  const part = encodeURIComponent
  return `postgres://${part(user)}:${part(password)}@localhost:${port}/${part(database)}?host=${part(host)}`
}
