// `auricle doctor`: whether this machine, its data and what the configuration names can do the work, and what mends it.
import { stat } from 'node:fs/promises'
import { probeAudioTool } from '@auricle/audio'
import type { Finding } from '@auricle/contract'
import { measureFreeSpace } from '@auricle/objects'
import {
  type Adapters,
  type Config,
  describeError,
  inspectAll,
  type Logger,
  openAdapters,
  type Secrets,
} from '@auricle/runtime'
import { createEventWriter } from '@auricle/vault'
import { codeOf } from '../file-failure.ts'
import { formatBytes, formatCount, formatDuration } from '../format.ts'
import type { Output } from '../output.ts'

const nodeLeast = [24, 12] as const
const freeBytesLeast = 1024 ** 3
/** Longer than replicating takes while everything works. */
const replicationLateMs = 60 * 60_000
/** Longer than the log takes to be published while everything works. */
const certificateLateMs = 60 * 60_000
const othersMode = 0o077
const quarantinedShown = 1000

const ok = (name: string, found: string): Finding => ({ name, state: 'ok', found, mend: null })
const bad = (name: string, found: string, mend: string): Finding => ({ name, state: 'bad', found, mend })
const warn = (name: string, found: string, mend: string): Finding => ({ name, state: 'warn', found, mend })

export interface DoctorParts {
  readonly config: Config
  readonly secrets: Secrets
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** True when nothing is bad and everything can be asked. */
export async function doctor(parts: DoctorParts, output: Output): Promise<boolean> {
  const { config } = parts
  const findings: Finding[] = [checkNode(), await checkAudioTool(config)]
  if (usesDataFolder(config)) findings.push(await checkDataFolder(config.dataFolder))
  const unopenable = await findUnopenable(config)
  findings.push(...unopenable)
  if (unopenable.length === 0) findings.push(...(await checkAdapters(parts)))
  output.rows(
    findings,
    [
      { title: 'check', cell: row => row.name },
      { title: 'state', cell: row => row.state },
      { title: 'found', cell: row => row.found },
      { title: 'what to do', cell: row => row.mend ?? '' },
    ],
    'Nothing to check',
  )
  return findings.every(({ state }) => state === 'ok' || state === 'warn')
}

function usesDataFolder({ database, objects, keys }: Config): boolean {
  return database.kind === 'embedded' || objects.kind === 'folder' || keys.kind === 'keyring'
}

/** Why nothing is opened: what the first start makes is not there, and a check makes nothing; or it is unsafe. */
async function findUnopenable({ database, keys }: Config): Promise<readonly Finding[]> {
  const hasDatabase = database.kind === 'url' || (await exists(database.folder))
  const found: Finding[] = []
  if (!hasDatabase) found.push(warn('database', 'not there yet', '`auricle start` makes it'))
  if (keys.kind !== 'keyring') return found
  if (await exists(keys.file)) {
    const { mode } = await stat(keys.file)
    if ((mode & othersMode) !== 0)
      found.push(bad('keyring', `${keys.file} is readable by others`, `chmod 600 ${keys.file}`))
    return found
  }
  const sentence = `${keys.file} does not exist`
  const isLost = database.kind === 'embedded' && hasDatabase
  const finding = isLost
    ? bad('keyring', sentence, 'put your copy of it back: without it nothing that is stored can be opened')
    : warn('keyring', sentence, '`auricle start` makes it; keep a copy of it apart from the data')
  return [...found, finding]
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const enough = major > nodeLeast[0] || (major === nodeLeast[0] && minor >= nodeLeast[1])
  const mend = 'run it by `npm run auricle --`, which brings Node 24 along'
  return enough ? ok('node', process.version) : bad('node', process.version, mend)
}

async function checkAudioTool({ ffmpeg }: Pick<Config, 'ffmpeg'>): Promise<Finding> {
  if (ffmpeg.kind === 'none') return ok('ffmpeg', 'not used, as configured')
  const found = await probeAudioTool(ffmpeg.kind === 'path' ? ffmpeg.path : undefined)
  const mend = 'apt-get install ffmpeg; until then recordings are played as they were delivered'
  return found === null ? warn('ffmpeg', 'missing', mend) : ok('ffmpeg', found.version)
}

async function checkDataFolder(folder: string): Promise<Finding> {
  const name = 'data folder'
  if (!(await exists(folder))) return warn(name, `${folder} does not exist`, '`auricle start` makes it')
  const { freeBytes } = await measureFreeSpace(folder)
  const found = `${folder}, ${formatBytes(freeBytes)} free`
  return freeBytes < freeBytesLeast
    ? warn(name, found, 'make room: deliveries are refused when it is full')
    : ok(name, found)
}

async function checkReplication(
  { catalog, recovery }: Pick<Adapters, 'catalog' | 'recovery'>,
  { signal }: Pick<DoctorParts, 'signal'>,
): Promise<Finding> {
  const name = 'recovery copies'
  if (recovery === null) {
    return warn(
      name,
      'none: every object exists once',
      'set AURICLE_RECOVERY to a place apart (docs/recovery-store.md)',
    )
  }
  const { objects, damaged, owedAt } = await catalog.replicationBacklog({ signal })
  if (owedAt === null) return ok(name, 'has a copy of every object')
  const ageMs = Math.max(0, Date.now() - owedAt.getTime())
  const found = `${formatCount(objects, 'object')} still to be copied, the oldest for ${formatDuration(ageMs)}`
  if (damaged > 0) {
    const mend = 'the log names them; see docs/recovery-store.md, "When a copy is damaged"'
    return warn(name, `${found}; ${damaged} damaged`, mend)
  }
  return ageMs < replicationLateMs
    ? ok(name, found)
    : warn(name, found, 'see that a worker runs and reaches the recovery store; its log says what fails')
}

async function checkAdapters(parts: DoctorParts): Promise<readonly Finding[]> {
  try {
    const stamper = createEventWriter({ name: 'doctor' })
    await using adapters = await openAdapters({ ...parts, stamper, database: 'join' })
    return [
      ok('database', `${parts.config.database.kind}; schema, durability and role are right`),
      ...(await inspectAll(adapters.inspected, parts)),
      ...(await checkQueue(parts, adapters)),
      await checkQuarantine(parts, adapters),
      await checkReplication(adapters, parts),
      await checkCertificates(parts, adapters),
    ]
  } catch (error) {
    const { name, code, message } = describeError(error)
    const found = message ?? code ?? 'not reachable'
    return name === 'KeyError'
      ? [bad('keys', found, 'see docs/keyring.md and docs/configuration.md, AURICLE_KEYS')]
      : [bad('database', found, 'see docs/configuration.md, DATABASE_URL')]
  }
}

async function checkQueue(
  { config, signal }: DoctorParts,
  { openJobs }: Pick<Adapters, 'openJobs'>,
): Promise<readonly Finding[]> {
  try {
    const jobs = await openJobs()
    return await inspectAll([{ name: 'queue', inspect: jobs.inspect }], { signal })
  } catch (error) {
    const { code, message } = describeError(error)
    const setting = config.queue.kind === 'redis' ? 'REDIS_URL' : 'DATABASE_URL'
    return [bad('queue', message ?? code ?? 'not reachable', `see docs/configuration.md, ${setting}`)]
  }
}

async function checkCertificates(
  { signal }: DoctorParts,
  { catalog }: Pick<Adapters, 'catalog'>,
): Promise<Finding> {
  const name = 'certificates'
  let oldest: number | null = null
  for (const { id } of await catalog.listTenants({ signal })) {
    const [first] = await catalog.listUnissuedCertificates(id, { afterId: null, limit: 1 }, { signal })
    const at = first === undefined ? null : Date.parse(first.claims.destroyedAt)
    oldest = at === null ? oldest : Math.min(at, oldest ?? at)
  }
  const ageMs = oldest === null ? 0 : Math.max(0, Date.now() - oldest)
  if (ageMs < certificateLateMs) return ok(name, 'every recording that is gone has one that is signed')
  const found = `one waits to be signed for ${formatDuration(ageMs)}`
  return warn(name, found, 'see that a worker runs and publishes the log; its log says what it may not sign')
}

async function checkQuarantine(
  { signal }: DoctorParts,
  { catalog }: Pick<Adapters, 'catalog'>,
): Promise<Finding> {
  let quarantined = 0
  for (const { id } of await catalog.listTenants({ signal })) {
    quarantined += (await catalog.listIntakes(id, 'quarantined', quarantinedShown, { signal })).length
  }
  return quarantined === 0
    ? ok('quarantine', 'empty')
    : warn(
        'quarantine',
        `${quarantined} deliveries`,
        '`auricle intake list` shows them, `auricle intake retry` tries again',
      )
}
