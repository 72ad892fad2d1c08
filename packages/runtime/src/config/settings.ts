// Every variable that is read, by name, with its default and its limits. `docs/configuration.md` explains each, and a
// test holds the two together.
import { z } from 'zod'
import {
  absolutePath,
  httpsUrl,
  keyRingAddress,
  logName,
  postgresUrl,
  redisUrl,
  smtpUrl,
  storeAddress,
  tlsHost,
  witnesses,
} from './address.ts'

const defaults = {
  host: '127.0.0.1',
  ingestPort: 8480,
  apiPort: 8481,
  logName: 'auricle.local',
  workerConcurrency: 2,
  /** Longer than a database transaction, shorter than the patience of a process manager. */
  shutdownGraceMs: 20_000,
  /** NIST SP 800-57 leaves years; a quarter is what Google's console proposes. */
  rotationDays: 90,
  /** Cloud KMS's own default: how long a destroyed key version can be brought back. */
  destroyDays: 30,
  keyCacheMs: 60_000,
  /** Backups of a managed database are commonly kept for a month; with some days for whoever is late. */
  backupDays: 35,
} as const

const portMost = 65_535
const concurrencyMost = 64
const graceMostMs = 600_000
const rotationDaysMost = 3650
/** Cloud KMS takes 1 to 120 days. */
const destroyDaysMost = 120
const backupDaysMost = 3650
const keyCacheMostMs = 300_000

const whole = (least: number, most: number) => z.coerce.number('must be a number').int().min(least).max(most)
const port = whole(0, portMost)

export const Settings = z.object({
  AURICLE_DATA: absolutePath.optional(),
  DATABASE_URL: postgresUrl.optional(),
  AURICLE_DATABASE_OWNER_URL: postgresUrl.optional(),
  AURICLE_MONITOR_DATABASE_URL: postgresUrl.optional(),
  REDIS_URL: redisUrl.optional(),
  AURICLE_OBJECTS: storeAddress.optional(),
  AURICLE_OBJECTS_ENDPOINT: httpsUrl.optional(),
  AURICLE_OBJECTS_RETENTION: z.enum(['unlocked', 'locked']).default('unlocked'),
  AURICLE_RECOVERY: storeAddress.optional(),
  AURICLE_RECOVERY_ENDPOINT: httpsUrl.optional(),
  AURICLE_LOG_STORE: storeAddress.optional(),
  AURICLE_LOG_STORE_ENDPOINT: httpsUrl.optional(),
  AURICLE_LOG_NAME: logName.default(defaults.logName),
  AURICLE_WITNESSES: witnesses.default([]),
  AURICLE_REPORT_STORE: storeAddress.optional(),
  AURICLE_REPORT_STORE_ENDPOINT: httpsUrl.optional(),
  AURICLE_SMTP_URL: smtpUrl.optional(),
  AURICLE_MAIL_FROM: z.email('must be an address such as auricle@clinic.example').optional(),
  AURICLE_KEYS: absolutePath.optional(),
  AURICLE_KEYRING_PASSPHRASE: z.string().optional(),
  AURICLE_KEYRING_PASSPHRASE_FILE: absolutePath.optional(),
  AURICLE_KMS: keyRingAddress.optional(),
  AURICLE_KMS_ENDPOINT: tlsHost.optional(),
  AURICLE_KMS_PROTECTION: z.enum(['software', 'hsm']).default('software'),
  AURICLE_KMS_ROTATION_DAYS: whole(1, rotationDaysMost).default(defaults.rotationDays),
  AURICLE_KMS_DESTROY_DAYS: whole(1, destroyDaysMost).default(defaults.destroyDays),
  AURICLE_KEY_CACHE_MS: whole(0, keyCacheMostMs).default(defaults.keyCacheMs),
  AURICLE_BACKUP_DAYS: whole(0, backupDaysMost).default(defaults.backupDays),
  AURICLE_HOST: z.union([z.ipv4(), z.ipv6()], 'must be an IP address').default(defaults.host),
  AURICLE_INGEST_PORT: port.default(defaults.ingestPort),
  AURICLE_INGEST_URL: httpsUrl.optional(),
  AURICLE_API_PORT: port.default(defaults.apiPort),
  AURICLE_API_URL: httpsUrl.optional(),
  AURICLE_WORKER_CONCURRENCY: whole(1, concurrencyMost).default(defaults.workerConcurrency),
  AURICLE_DISPOSITION: z.enum(['here', 'apart', 'only']).default('here'),
  AURICLE_FFMPEG: z.union([z.literal('none'), absolutePath], 'must be an absolute path, or none').optional(),
  AURICLE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  AURICLE_LOG_FORMAT: z.enum(['auto', 'json', 'pretty']).default('auto'),
  AURICLE_SHUTDOWN_GRACE_MS: whole(0, graceMostMs).default(defaults.shutdownGraceMs),
})
export type Settings = z.infer<typeof Settings>

export const settingNames: readonly string[] = Object.keys(Settings.shape)

type Present = Readonly<Record<string, unknown>>

/** What no single variable can tell: those that exclude or need one another, as sentences. */
export function contradictions(present: Present): string[] {
  const has = (name: keyof Settings) => present[name] !== undefined
  const isBucket = (name: keyof Settings) => String(present[name] ?? '').startsWith('gs://')
  const found: string[] = []
  const excludes = (one: keyof Settings, other: keyof Settings) => {
    if (has(one) && has(other)) found.push(`${one} and ${other} exclude each other`)
  }
  const needs = (name: keyof Settings, isMet: boolean, what: string) => {
    if (has(name) && !isMet) found.push(`${name} needs ${what}`)
  }
  needs(
    'AURICLE_DATABASE_OWNER_URL',
    has('DATABASE_URL'),
    'DATABASE_URL: the owner only migrates, the application never uses it',
  )
  excludes('AURICLE_KEYRING_PASSPHRASE', 'AURICLE_KEYRING_PASSPHRASE_FILE')
  for (const name of [
    'AURICLE_KEYS',
    'AURICLE_KEYRING_PASSPHRASE',
    'AURICLE_KEYRING_PASSPHRASE_FILE',
  ] as const)
    excludes('AURICLE_KMS', name)
  for (const name of [
    'AURICLE_KMS_ENDPOINT',
    'AURICLE_KMS_PROTECTION',
    'AURICLE_KMS_ROTATION_DAYS',
    'AURICLE_KMS_DESTROY_DAYS',
  ] as const)
    needs(name, has('AURICLE_KMS'), 'AURICLE_KMS, whose keys it is about')
  needs('AURICLE_OBJECTS_ENDPOINT', isBucket('AURICLE_OBJECTS'), 'a bucket in AURICLE_OBJECTS')
  needs('AURICLE_RECOVERY_ENDPOINT', isBucket('AURICLE_RECOVERY'), 'a bucket in AURICLE_RECOVERY')
  needs('AURICLE_LOG_STORE_ENDPOINT', isBucket('AURICLE_LOG_STORE'), 'a bucket in AURICLE_LOG_STORE')
  needs('AURICLE_REPORT_STORE_ENDPOINT', isBucket('AURICLE_REPORT_STORE'), 'a bucket in AURICLE_REPORT_STORE')
  needs('AURICLE_SMTP_URL', has('AURICLE_MAIL_FROM'), 'AURICLE_MAIL_FROM, whom mail is from')
  needs('AURICLE_MAIL_FROM', has('AURICLE_SMTP_URL'), 'AURICLE_SMTP_URL, which sends it')
  needs(
    'AURICLE_OBJECTS_RETENTION',
    isBucket('AURICLE_OBJECTS') || isBucket('AURICLE_RECOVERY'),
    'a bucket in AURICLE_OBJECTS or AURICLE_RECOVERY',
  )
  return found
}
