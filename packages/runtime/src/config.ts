// What the environment may say, and what it means: every setting with its default, parsed once into a typed value.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { HostAddress, StoreAddress, WitnessAddress } from './config/address.ts'
import { areApart } from './config/apart.ts'
import { contradictions, Settings, settingNames } from './config/settings.ts'
import { RuntimeError } from './error.ts'
import { Secret } from './secret.ts'

export interface Endpoint {
  /** Address to listen on. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** How the outside reaches it, without a trailing slash; null where that is the address it listens on. */
  readonly publicUrl: string | null
}

/** Where objects are stored. */
export type StorePlace =
  | Extract<StoreAddress, { kind: 'folder' }>
  | (Extract<StoreAddress, { kind: 'bucket' }> & {
      readonly retentionMode: 'Unlocked' | 'Locked'
      /** Null: Google's own. */
      readonly endpoint: string | null
    })

/** Where the log is published: a place in which everything is written once. */
export type LogStorePlace =
  | Extract<StoreAddress, { kind: 'folder' }>
  | (Extract<StoreAddress, { kind: 'bucket' }> & {
      /** Null: Google's own. */
      readonly endpoint: string | null
    })

/** How one deployment is put together. Holds no secret, so it may be shown. */
export interface Config {
  /** Absolute. Everything that is not configured to lie elsewhere lies under it. */
  readonly dataFolder: string
  readonly database: { readonly kind: 'embedded'; readonly folder: string } | { readonly kind: 'url' }
  readonly objects: StorePlace
  /** Where a copy of everything archived goes; null: nowhere. */
  readonly recovery: StorePlace | null
  readonly logStore: LogStorePlace
  /** Where reports on a schedule are stored; null: nowhere. */
  readonly reportStore: StorePlace | null
  /** Who mail is from; null: none is sent. */
  readonly mail: { readonly from: string } | null
  /** What the origins of the logs begin with; fixed for good with the first of them. */
  readonly logName: string
  /** Who is asked to sign what the log is at, before it is published. */
  readonly witnesses: readonly WitnessAddress[]
  readonly keys:
    | { readonly kind: 'keyring'; readonly file: string }
    | {
        readonly kind: 'gcp-kms'
        /** `projects/../locations/../keyRings/..` */
        readonly keyRing: string
        /** Null: Google's own. */
        readonly endpoint: HostAddress | null
        readonly protection: 'SOFTWARE' | 'HSM'
        readonly rotationDays: number
        readonly destroyDays: number
      }
  /** How long a data key that a KMS unwrapped may be used again, in milliseconds. 0: not at all. */
  readonly keyCacheMs: number
  /** For how long anybody keeps a copy of the database, at most. */
  readonly backupDays: number
  readonly queue: { readonly kind: 'postgres' } | { readonly kind: 'redis' }
  readonly ingest: Endpoint
  readonly api: Endpoint
  readonly worker: {
    readonly concurrency: number
    /**
     * Whether this process deletes what has come to its end: with its other work, not at all, or as its only work, under
     * an identity that may delete and can neither read a recording nor take a hold off.
     */
    readonly disposition: 'here' | 'apart' | 'only'
  }
  /** Which ffmpeg makes renditions: the one in the system's usual folders, a given one, or none on purpose. */
  readonly ffmpeg:
    | { readonly kind: 'usual' }
    | { readonly kind: 'path'; readonly path: string }
    | { readonly kind: 'none' }
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error'
    readonly format: 'auto' | 'json' | 'pretty'
  }
  readonly shutdownGraceMs: number
}

export interface Secrets {
  /** Present exactly where `config.database.kind` is `url`. Without an owner, the schema is checked and not migrated. */
  readonly database: { readonly url: Secret; readonly ownerUrl: Secret | null } | null
  readonly keyringPassphrase: Secret | null
  /** How the monitor reaches the database, as a role of its own; null: as that of the embedded server. */
  readonly monitorDatabaseUrl: Secret | null
  /** Present exactly where `config.mail` is. */
  readonly smtpUrl: Secret | null
  /** Present exactly where `config.queue.kind` is `redis`. */
  readonly redisUrl: Secret | null
}

export interface Host {
  readonly platform: NodeJS.Platform
  readonly isRoot: boolean
  readonly home: string
  readonly readFile: (path: string) => string
}

/** Variables of libraries that would make them say what nobody may read. */
const telltales: Readonly<Record<string, string>> = {
  GOOGLE_SDK_NODE_LOGGING: 'must not be set: it writes access tokens to standard error',
}

const notApart =
  'must lie apart from the objects: another bucket, or a folder that is neither within theirs nor around it'

const thisHost = (): Host => ({
  platform: process.platform,
  isRoot: process.getuid?.() === 0,
  home: homedir(),
  readFile: path => readFileSync(path, 'utf8'),
})

/**
 * Parses the environment. An empty variable counts as absent. Throws `RuntimeError('bad_config')` with a line for
 * each thing that is wrong, naming the variable and never its value; an `AURICLE_` variable that does not exist is
 * wrong too, since a misspelt setting would silently mean its default.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  host: Host = thisHost(),
): { readonly config: Config; readonly secrets: Secrets } {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = Settings.safeParse(present)
  const wrong = [
    ...Object.keys(present)
      .filter(name => name.startsWith('AURICLE_') && !settingNames.includes(name))
      .map(name => `${name} is not a setting`),
    ...(parsed.error?.issues ?? []).map(issue => `${issue.path.join('.')} ${lowerFirst(issue.message)}`),
    ...contradictions(present),
    ...Object.entries(telltales).flatMap(([name, sentence]) =>
      present[name] === undefined ? [] : [`${name} ${sentence}`],
    ),
  ]
  if (wrong.length > 0 || parsed.data === undefined) {
    throw new RuntimeError('bad_config', `The configuration is wrong:\n  ${wrong.join('\n  ')}`)
  }
  const config = toConfig(parsed.data, present, host)
  if (config.recovery !== null && !areApart(config.objects, config.recovery)) {
    throw new RuntimeError('bad_config', `The configuration is wrong:\n  AURICLE_RECOVERY ${notApart}`)
  }
  for (const other of [config.objects, ...(config.recovery === null ? [] : [config.recovery])]) {
    if (areApart(config.logStore, other)) continue
    throw new RuntimeError('bad_config', `The configuration is wrong:\n  AURICLE_LOG_STORE ${notApart}`)
  }
  for (const other of [
    config.objects,
    config.logStore,
    ...(config.recovery === null ? [] : [config.recovery]),
  ]) {
    if (config.reportStore === null || areApart(config.reportStore, other)) continue
    throw new RuntimeError('bad_config', `The configuration is wrong:\n  AURICLE_REPORT_STORE ${notApart}`)
  }
  return { config, secrets: toSecrets(parsed.data, host) }
}

function toConfig(settings: Settings, env: Readonly<Record<string, string | undefined>>, host: Host): Config {
  const dataFolder = settings.AURICLE_DATA ?? defaultDataFolder(env, host)
  return {
    dataFolder,
    database:
      settings.DATABASE_URL === undefined
        ? { kind: 'embedded', folder: join(dataFolder, 'postgres') }
        : { kind: 'url' },
    objects: toPlace(
      settings,
      settings.AURICLE_OBJECTS ?? { kind: 'folder', folder: join(dataFolder, 'objects') },
      settings.AURICLE_OBJECTS_ENDPOINT,
    ),
    recovery:
      settings.AURICLE_RECOVERY === undefined
        ? null
        : toPlace(settings, settings.AURICLE_RECOVERY, settings.AURICLE_RECOVERY_ENDPOINT),
    logStore: toLogStore(settings, dataFolder),
    reportStore:
      settings.AURICLE_REPORT_STORE === undefined
        ? null
        : toPlace(settings, settings.AURICLE_REPORT_STORE, settings.AURICLE_REPORT_STORE_ENDPOINT),
    mail: settings.AURICLE_MAIL_FROM === undefined ? null : { from: settings.AURICLE_MAIL_FROM },
    logName: settings.AURICLE_LOG_NAME,
    witnesses: settings.AURICLE_WITNESSES,
    keys: toKeys(settings, dataFolder),
    keyCacheMs: settings.AURICLE_KEY_CACHE_MS,
    backupDays: settings.AURICLE_BACKUP_DAYS,
    queue: { kind: settings.REDIS_URL === undefined ? 'postgres' : 'redis' },
    ingest: {
      host: settings.AURICLE_HOST,
      port: settings.AURICLE_INGEST_PORT,
      publicUrl: settings.AURICLE_INGEST_URL ?? null,
    },
    api: {
      host: settings.AURICLE_HOST,
      port: settings.AURICLE_API_PORT,
      publicUrl: settings.AURICLE_API_URL ?? null,
    },
    worker: {
      concurrency: settings.AURICLE_WORKER_CONCURRENCY,
      disposition: settings.AURICLE_DISPOSITION,
    },
    ffmpeg: toFfmpeg(settings.AURICLE_FFMPEG),
    log: { level: settings.AURICLE_LOG_LEVEL, format: settings.AURICLE_LOG_FORMAT },
    shutdownGraceMs: settings.AURICLE_SHUTDOWN_GRACE_MS,
  }
}

/** How PBXs reach the service that takes deliveries. */
export function ingestUrl({ ingest }: Pick<Config, 'ingest'>): string {
  return ingest.publicUrl ?? `http://${ingest.host}:${ingest.port}`
}

/** How people and programs reach the API. */
export function apiUrl({ api }: Pick<Config, 'api'>): string {
  return api.publicUrl ?? `http://${api.host}:${api.port}`
}

function toPlace(
  { AURICLE_OBJECTS_RETENTION: retention }: Settings,
  address: StoreAddress,
  endpoint: string | undefined,
): StorePlace {
  if (address.kind === 'folder') return address
  const retentionMode = retention === 'locked' ? 'Locked' : 'Unlocked'
  return { ...address, retentionMode, endpoint: endpoint ?? null }
}

function toLogStore(settings: Settings, dataFolder: string): LogStorePlace {
  const address = settings.AURICLE_LOG_STORE ?? { kind: 'folder', folder: join(dataFolder, 'log-store') }
  if (address.kind === 'folder') return address
  return { ...address, endpoint: settings.AURICLE_LOG_STORE_ENDPOINT ?? null }
}

function toKeys(settings: Settings, dataFolder: string): Config['keys'] {
  const { AURICLE_KMS: keyRing } = settings
  if (keyRing === undefined)
    return { kind: 'keyring', file: settings.AURICLE_KEYS ?? join(dataFolder, 'keyring.json') }
  return {
    kind: 'gcp-kms',
    keyRing,
    endpoint: settings.AURICLE_KMS_ENDPOINT ?? null,
    protection: settings.AURICLE_KMS_PROTECTION === 'hsm' ? 'HSM' : 'SOFTWARE',
    rotationDays: settings.AURICLE_KMS_ROTATION_DAYS,
    destroyDays: settings.AURICLE_KMS_DESTROY_DAYS,
  }
}

function toFfmpeg(setting: string | undefined): Config['ffmpeg'] {
  if (setting === undefined) return { kind: 'usual' }
  return setting === 'none' ? { kind: 'none' } : { kind: 'path', path: setting }
}

/** Where data goes that nobody placed: the system's place for root, the user's own for anybody else. */
function defaultDataFolder(env: Readonly<Record<string, string | undefined>>, host: Host): string {
  if (host.isRoot && host.platform !== 'darwin') return '/var/lib/auricle'
  if (host.platform === 'darwin') return join(host.home, 'Library', 'Application Support', 'auricle')
  // XDG Base Directory Specification: relative values are to be ignored.
  const base = env['XDG_DATA_HOME']
  return join(base !== undefined && isAbsolute(base) ? base : join(host.home, '.local', 'share'), 'auricle')
}

function toSecrets(settings: Settings, host: Host): Secrets {
  const { DATABASE_URL: url, AURICLE_DATABASE_OWNER_URL: ownerUrl } = settings
  return {
    database:
      url === undefined
        ? null
        : { url: new Secret(url), ownerUrl: ownerUrl === undefined ? null : new Secret(ownerUrl) },
    keyringPassphrase: readPassphrase(settings, host),
    monitorDatabaseUrl:
      settings.AURICLE_MONITOR_DATABASE_URL === undefined
        ? null
        : new Secret(settings.AURICLE_MONITOR_DATABASE_URL),
    smtpUrl: settings.AURICLE_SMTP_URL === undefined ? null : new Secret(settings.AURICLE_SMTP_URL),
    redisUrl: settings.REDIS_URL === undefined ? null : new Secret(settings.REDIS_URL),
  }
}

function readPassphrase(settings: Settings, host: Host): Secret | null {
  if (settings.AURICLE_KEYRING_PASSPHRASE !== undefined)
    return new Secret(settings.AURICLE_KEYRING_PASSPHRASE)
  const file = settings.AURICLE_KEYRING_PASSPHRASE_FILE
  if (file === undefined) return null
  let content: string
  try {
    content = host.readFile(file)
  } catch (cause) {
    throw new RuntimeError(
      'bad_config',
      'The file that AURICLE_KEYRING_PASSPHRASE_FILE names cannot be read',
      {
        cause,
      },
    )
  }
  // Editors and `echo` end a file with a line break that nobody means as part of a passphrase.
  const passphrase = content.replace(/\r?\n$/, '')
  if (passphrase === '') {
    throw new RuntimeError('bad_config', 'The file that AURICLE_KEYRING_PASSPHRASE_FILE names is empty')
  }
  return new Secret(passphrase)
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
