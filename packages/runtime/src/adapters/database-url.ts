// A `postgres://` URL as the parts that the driver takes.
import { RuntimeError } from '../error.ts'
import type { DatabaseSettings } from '../postgres/index.ts'

const defaultPort = 5432

export interface UrlSettings extends DatabaseSettings {
  /** As TLS is asked for by `sslmode`; absent without it, and over a Unix socket. */
  readonly ssl?: { readonly rejectUnauthorized: boolean }
}

/**
 * `postgres://user:password@host:port/database?sslmode=verify-full`; `?host=/folder` names the folder of a Unix socket.
 * `sslmode` is `disable`, `require` (encrypted, the server not checked) or `verify-full` (libpq's words).
 */
export function databaseSettings(text: string): UrlSettings {
  const url = new URL(text)
  const part = (value: string) => decodeURIComponent(value)
  const settings = {
    host: url.searchParams.get('host') ?? part(url.hostname).replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? defaultPort : Number(url.port),
    database: part(url.pathname.slice(1)),
    user: part(url.username),
    password: part(url.password),
  }
  if (settings.host === '' || settings.database === '' || settings.user === '') {
    throw new RuntimeError('bad_config', 'The database URL names no host, no database or no user')
  }
  switch (url.searchParams.get('sslmode') ?? 'disable') {
    case 'disable':
      return settings
    case 'require':
      return { ...settings, ssl: { rejectUnauthorized: false } }
    case 'verify-full':
      return { ...settings, ssl: { rejectUnauthorized: true } }
    default:
      throw new RuntimeError(
        'bad_config',
        'The sslmode of the database URL is none of disable, require, verify-full',
      )
  }
}
