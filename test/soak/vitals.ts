// What a service holds at a moment: memory, handles, children, listeners (Linux, proc(5)).
import { readdir } from 'node:fs/promises'
import { type InspectedMemory, inspectMemory } from '../harness/inspected-memory.ts'
import { findProcesses } from '../harness/processes.ts'
import type { ServiceProcess } from '../harness/service-process.ts'
import type { Stack } from '../harness/stack.ts'

export interface Vitals extends InspectedMemory {
  readonly handles: number
  readonly children: number
}

export async function vitalsOf(service: ServiceProcess, inspectorPort: number): Promise<Vitals> {
  const { pid } = service
  if (pid === null) throw new Error(`${service.name} is not running`)
  const memory = await inspectMemory(inspectorPort)
  const family = await findProcesses(service.sessions)
  return {
    ...memory,
    handles: (await readdir(`/proc/${pid}/fd`)).length,
    children: family.filter(one => one.pid !== pid).length,
  }
}

/** Everything else that could grow: rows of the queue, connections, files that should be gone. */
export interface Leftovers {
  readonly connections: number
  readonly outboxRows: number
  readonly jobRows: number
  readonly eventRows: number
  readonly otherQueueRows: number
  readonly intakeObjects: number
  readonly temporaryFiles: number
  readonly processTemporaryFiles: number
}

export async function leftoversOf(stack: Stack): Promise<Leftovers> {
  const { superuser, adapters, dataFolder, temporaryFolder } = stack
  const number = async (text: string) => Number((await superuser.query<{ n: string }>(text)).rows[0]?.n)
  const { rows: tables } = await superuser.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'bullmq'",
  )
  let otherQueueRows = 0
  for (const { name } of tables) {
    if (!['job', 'event'].includes(name))
      otherQueueRows += await number(`select count(*) as n from bullmq.${name}`)
  }
  let intakeObjects = 0
  for await (const _ of adapters.objects.list('intake/')) intakeObjects++
  const names = await readdir(`${dataFolder}/objects`, { recursive: true })
  return {
    connections: await number(
      `select count(*) as n from pg_stat_activity where backend_type = 'client backend'
         and application_name <> 'auricle-harness'`,
    ),
    outboxRows: await number('select count(*) as n from auricle.outbox'),
    jobRows: await number('select count(*) as n from bullmq.job'),
    eventRows: await number('select count(*) as n from bullmq.event'),
    otherQueueRows,
    intakeObjects,
    temporaryFiles: names.filter(name => name.endsWith('.part')).length,
    processTemporaryFiles: (await readdir(temporaryFolder, { recursive: true, withFileTypes: true })).filter(
      entry => entry.isFile(),
    ).length,
  }
}

/** Rise of memory per delivery, fitted by least squares. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (pick: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)]
  const over = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0)
  const under = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  return under === 0 ? 0 : over / under
}
