// What the environment may say, and what it means: every setting with its default, parsed once into a typed value.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { z } from 'zod'
import { RuntimeError } from './error.ts'
import { Secret } from './secret.ts'

const defaults = {
  host: '127.0.0.1',
  ingestPort: 8480,
  apiPort: 8481,
  workerConcurrency: 2,
  /** Longer than a database transaction, shorter than the patience of a process manager. */
  shutdownGraceMs: 20_000,
} as const

const portMost = 65_535
const concurrencyMost = 64
const graceMostMs = 600_000

export interface Endpoint {
  /** Address to listen on. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** How the outside reaches it, without a trailing slash; null where that is the address it listens on. */
  readonly publicUrl: string | null
}

/** How one deployment is put together. Holds no secret, so it may be shown. */
export interface Config {
  /** Absolute. Everything that is not configured to lie elsewhere lies under it. */
  readonly dataFolder: string
  readonly database: { readonly kind: 'embedded'; readonly folder: string } | { readonly kind: 'url' }
  readonly objects: { readonly kind: 'folder'; readonly folder: string }
  /** Where a second copy of every archived object goes; null where there is to be none. */
  readonly recovery: { readonly kind: 'folder'; readonly folder: string } | null
  readonly keys: { readonly kind: 'keyring'; readonly file: string }
  readonly queue: { readonly kind: 'postgres' }
  readonly ingest: Endpoint
  readonly api: Endpoint
  readonly worker: { readonly concurrency: number }
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
}

export interface Host {
  readonly platform: NodeJS.Platform
  readonly isRoot: boolean
  readonly home: string
  readonly readFile: (path: string) => string
}

const thisHost = (): Host => ({
  platform: process.platform,
  isRoot: process.getuid?.() === 0,
  home: homedir(),
  readFile: path => readFileSync(path, 'utf8'),
})

const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path')
const port = z.coerce.number('must be a number').int().min(0).max(portMost)
const postgresUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must be a URL such as postgres://user:password@host/database',
})

/** Only https may leave the machine: passwords, tokens and recordings travel over it. */
const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be a URL such as https://auricle.example.org' })
  .refine(text => {
    if (!URL.canParse(text)) return true
    const { protocol, hostname } = new URL(text)
    return protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
  }, 'must be https, unless it is of this machine alone')
  .refine(text => !/[?#]/.test(text), 'must have neither query nor fragment')
  .transform(text => text.replace(/\/+$/, ''))

const notYet = (prefix: string, what: string) => (text: string) =>
  !text.startsWith(prefix) || `${what} is not part of this version`

/** A check whose answer, where it is no, is the sentence to give. */
const refuse = (check: (text: string) => true | string) =>
  z.string().superRefine((text, context) => {
    const answer = check(text)
    if (answer !== true) context.addIssue({ code: 'custom', message: answer })
  })

/** Every variable that is read, by name. `docs/configuration.md` explains each, and a test holds the two together. */
const Settings = z.object({
  AURICLE_DATA: absolutePath.optional(),
  DATABASE_URL: postgresUrl.optional(),
  AURICLE_DATABASE_OWNER_URL: postgresUrl.optional(),
  REDIS_URL: z.never('a queue in Redis is not part of this version; it is kept in PostgreSQL').optional(),
  AURICLE_OBJECTS: refuse(notYet('gs://', 'Google Cloud Storage')).pipe(absolutePath).optional(),
  AURICLE_RECOVERY: refuse(notYet('gs://', 'Google Cloud Storage')).pipe(absolutePath).optional(),
  AURICLE_KEYS: refuse(notYet('gcp-kms://', 'Google Cloud KMS')).pipe(absolutePath).optional(),
  AURICLE_KEYRING_PASSPHRASE: z.string().optional(),
  AURICLE_KEYRING_PASSPHRASE_FILE: absolutePath.optional(),
  AURICLE_HOST: z.union([z.ipv4(), z.ipv6()], 'must be an IP address').default(defaults.host),
  AURICLE_INGEST_PORT: port.default(defaults.ingestPort),
  AURICLE_INGEST_URL: publicUrl.optional(),
  AURICLE_API_PORT: port.default(defaults.apiPort),
  AURICLE_API_URL: publicUrl.optional(),
  AURICLE_WORKER_CONCURRENCY: z.coerce
    .number('must be a number')
    .int()
    .min(1)
    .max(concurrencyMost)
    .default(defaults.workerConcurrency),
  AURICLE_FFMPEG: z.union([z.literal('none'), absolutePath], 'must be an absolute path, or none').optional(),
  AURICLE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  AURICLE_LOG_FORMAT: z.enum(['auto', 'json', 'pretty']).default('auto'),
  AURICLE_SHUTDOWN_GRACE_MS: z.coerce
    .number('must be a number')
    .int()
    .min(0)
    .max(graceMostMs)
    .default(defaults.shutdownGraceMs),
})
type Settings = z.infer<typeof Settings>

export const settingNames: readonly string[] = Object.keys(Settings.shape)

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
    ...overlaps(present, host),
  ]
  if (wrong.length > 0 || parsed.data === undefined) {
    throw new RuntimeError('bad_config', `The configuration is wrong:\n  ${wrong.join('\n  ')}`)
  }
  return { config: toConfig(parsed.data, present, host), secrets: toSecrets(parsed.data, host) }
}

function contradictions(present: Readonly<Record<string, unknown>>): string[] {
  const has = (name: keyof Settings) => present[name] !== undefined
  const found: string[] = []
  if (has('AURICLE_DATABASE_OWNER_URL') && !has('DATABASE_URL')) {
    found.push(
      'AURICLE_DATABASE_OWNER_URL needs DATABASE_URL: the owner only migrates, the application never uses it',
    )
  }
  if (has('AURICLE_KEYRING_PASSPHRASE') && has('AURICLE_KEYRING_PASSPHRASE_FILE')) {
    found.push('AURICLE_KEYRING_PASSPHRASE and AURICLE_KEYRING_PASSPHRASE_FILE exclude each other')
  }
  return found
}

/** One disk, or one mistake, would take both: a copy is only worth something apart from what it is a copy of. */
function overlaps(present: Readonly<Record<string, string | undefined>>, host: Host): string[] {
  const recovery = present['AURICLE_RECOVERY']
  const dataFolder = present['AURICLE_DATA'] ?? defaultDataFolder(present, host)
  const objects = present['AURICLE_OBJECTS'] ?? join(dataFolder, 'objects')
  if (recovery === undefined || !isAbsolute(recovery) || !isAbsolute(objects)) return []
  if (!liesWithin(recovery, objects) && !liesWithin(objects, recovery)) return []
  return ['AURICLE_RECOVERY must lie apart from the objects: neither folder may be, or be within, the other']
}

/** Whether a folder is the other one or lies in it, going by their absolute paths. */
export function liesWithin(folder: string, other: string): boolean {
  const [inner, outer] = [resolve(folder), resolve(other)]
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}

function toConfig(settings: Settings, env: Readonly<Record<string, string | undefined>>, host: Host): Config {
  const dataFolder = settings.AURICLE_DATA ?? defaultDataFolder(env, host)
  return {
    dataFolder,
    database:
      settings.DATABASE_URL === undefined
        ? { kind: 'embedded', folder: join(dataFolder, 'postgres') }
        : { kind: 'url' },
    objects: { kind: 'folder', folder: settings.AURICLE_OBJECTS ?? join(dataFolder, 'objects') },
    recovery:
      settings.AURICLE_RECOVERY === undefined ? null : { kind: 'folder', folder: settings.AURICLE_RECOVERY },
    keys: { kind: 'keyring', file: settings.AURICLE_KEYS ?? join(dataFolder, 'keyring.json') },
    queue: { kind: 'postgres' },
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
    worker: { concurrency: settings.AURICLE_WORKER_CONCURRENCY },
    ffmpeg: toFfmpeg(settings.AURICLE_FFMPEG),
    log: { level: settings.AURICLE_LOG_LEVEL, format: settings.AURICLE_LOG_FORMAT },
    shutdownGraceMs: settings.AURICLE_SHUTDOWN_GRACE_MS,
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
