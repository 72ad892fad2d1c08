// `auricle doctor`: whether this machine and its data can do the work, and what to do where they cannot.
import { stat } from 'node:fs/promises'
import { probeAudioTool } from '@auricle/audio'
import { measureFreeSpace } from '@auricle/objects'
import {
  type Adapters,
  type Config,
  describeError,
  type Logger,
  openAdapters,
  type Secrets,
} from '@auricle/runtime'
import { codeOf } from '../file-failure.ts'
import { formatBytes, formatCount, formatDuration } from '../format.ts'
import type { Output } from '../output.ts'

export interface Check {
  readonly name: string
  /** `warn`: works, and somebody should look at it. */
  readonly state: 'ok' | 'warn' | 'bad'
  readonly found: string
  /** What mends it; null where nothing is wrong. */
  readonly mend: string | null
}

const nodeLeast = [24, 12] as const
const freeBytesLeast = 1024 ** 3
/** Longer than replicating takes while everything works. */
const replicationLateMs = 60 * 60_000
const othersMode = 0o077

const ok = (name: string, found: string): Check => ({ name, state: 'ok', found, mend: null })
const bad = (name: string, found: string, mend: string): Check => ({ name, state: 'bad', found, mend })
const warn = (name: string, found: string, mend: string): Check => ({ name, state: 'warn', found, mend })

export interface DoctorParts {
  readonly config: Config
  readonly secrets: Secrets
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** True when nothing is bad. */
export async function doctor(parts: DoctorParts, output: Output): Promise<boolean> {
  const { config } = parts
  const checks: Check[] = [checkNode(), await checkAudioTool(config)]
  checks.push(...(await checkFolder('data folder', config.dataFolder)))
  checks.push(...(await checkKeyring(config)))
  checks.push(...((await isMade(config)) ? await checkAdapters(parts) : [notMade]))
  output.rows(
    checks,
    [
      { title: 'check', cell: row => row.name },
      { title: 'state', cell: row => row.state },
      { title: 'found', cell: row => row.found },
      { title: 'what to do', cell: row => row.mend ?? '' },
    ],
    'Nothing to check',
  )
  return checks.every(({ state }) => state !== 'bad')
}

const notMade = warn('database', 'not opened: it, or its keyring, is not there', '`auricle start` makes both')

/** Opening what does not exist would make it: a check changes nothing. */
async function isMade({ database, keys }: Config): Promise<boolean> {
  return (await exists(keys.file)) && (database.kind === 'url' || (await exists(database.folder)))
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

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const enough = major > nodeLeast[0] || (major === nodeLeast[0] && minor >= nodeLeast[1])
  const mend = 'run it by `npm run auricle --`, which brings Node 24 along'
  return enough ? ok('node', process.version) : bad('node', process.version, mend)
}

async function checkAudioTool({ ffmpeg }: Pick<Config, 'ffmpeg'>): Promise<Check> {
  if (ffmpeg.kind === 'none') return ok('ffmpeg', 'not used, as configured')
  const found = await probeAudioTool(ffmpeg.kind === 'path' ? ffmpeg.path : undefined)
  const mend = 'apt-get install ffmpeg; until then recordings are played as they were delivered'
  return found === null ? warn('ffmpeg', 'missing', mend) : ok('ffmpeg', found.version)
}

async function checkFolder(name: string, folder: string): Promise<readonly Check[]> {
  try {
    await stat(folder)
    const { freeBytes } = await measureFreeSpace(folder)
    const found = `${folder}, ${formatBytes(freeBytes)} free`
    return [
      freeBytes < freeBytesLeast
        ? warn(name, found, 'make room: deliveries are refused when it is full')
        : ok(name, found),
    ]
  } catch {
    return [warn(name, `${folder} does not exist`, '`auricle start` makes it')]
  }
}

async function checkKeyring({ keys: { file }, database }: Config): Promise<readonly Check[]> {
  try {
    const { mode } = await stat(file)
    const open = (mode & othersMode) !== 0
    return [open ? bad('keyring', `${file} is readable by others`, `chmod 600 ${file}`) : ok('keyring', file)]
  } catch {
    const found = `${file} does not exist`
    const isLost = database.kind === 'embedded' && (await exists(database.folder))
    return [
      isLost
        ? bad('keyring', found, 'put your copy of it back: without it nothing that is stored can be opened')
        : warn('keyring', found, '`auricle start` makes it; keep a copy of it apart from the data'),
    ]
  }
}

async function checkReplication(
  { catalog, recovery }: Pick<Adapters, 'catalog' | 'recovery'>,
  { signal }: Pick<DoctorParts, 'signal'>,
): Promise<Check> {
  const name = 'recovery store'
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

async function checkAdapters(parts: DoctorParts): Promise<readonly Check[]> {
  try {
    await using adapters = await openAdapters({ ...parts, database: 'join' })
    const database = ok('database', `${parts.config.database.kind}; schema, durability and role are right`)
    const tenants = await adapters.catalog.listTenants(parts)
    let quarantined = 0
    for (const { id } of tenants) {
      quarantined += (await adapters.catalog.listIntakes(id, 'quarantined', 1000, parts)).length
    }
    const quarantine =
      quarantined === 0
        ? ok('quarantine', 'empty')
        : warn(
            'quarantine',
            `${quarantined} deliveries`,
            '`auricle intake list` shows them, `auricle intake retry` tries again',
          )
    const jobs = await adapters.openJobs()
    const { waiting, active, delayed, failed } = await jobs.counts()
    return [
      database,
      ok('queue', `${waiting} waiting, ${active} running, ${delayed} delayed, ${failed} failed`),
      quarantine,
      await checkReplication(adapters, parts),
    ]
  } catch (error) {
    const { code, message } = describeError(error)
    return [bad('database', message ?? code ?? 'not reachable', 'see docs/configuration.md, DATABASE_URL')]
  }
}
