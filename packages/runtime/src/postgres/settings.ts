// How the embedded server is set: durable, quiet about contents, closed to everything but its own socket.
import { readableFileMode, writeDurably } from './durable.ts'
import type { Place } from './place.ts'

/** PostgreSQL names its socket after a port even where it listens on none. */
export const socketPort = 5432

type Setting = string | number | boolean

/** The settings by name; units as PostgreSQL writes them. */
function settings(place: Place, socketFolder: string): Readonly<Record<string, Setting>> {
  return {
    listen_addresses: '',
    port: socketPort,
    unix_socket_directories: socketFolder,
    unix_socket_permissions: '0700',
    password_encryption: 'scram-sha-256',
    max_connections: 100,

    // A commit that was acknowledged survives a power failure. Nobody may turn these off in SQL.
    fsync: true,
    full_page_writes: true,
    synchronous_commit: 'on',
    allow_alter_system: false,

    // Sized for one small machine that does other things too.
    shared_buffers: '128MB',
    work_mem: '8MB',
    maintenance_work_mem: '64MB',
    effective_cache_size: '512MB',
    max_wal_size: '1GB',
    wal_compression: true,
    random_page_cost: 1.1,
    // Containers often have a /dev/shm too small for parallel plans, and short queries gain nothing from them or from JIT.
    max_parallel_workers_per_gather: 0,
    jit: false,

    timezone: 'UTC',
    log_timezone: 'UTC',
    datestyle: 'iso, ymd',
    default_text_search_config: 'pg_catalog.simple',

    // One file a weekday, begun anew each week.
    logging_collector: true,
    log_destination: 'stderr',
    log_directory: place.logFolder,
    log_filename: 'postgresql-%a.log',
    log_rotation_age: '1d',
    log_rotation_size: 0,
    log_truncate_on_rotation: true,
    log_file_mode: '0600',
    log_line_prefix: '%m [%p] %q%u@%d ',

    // No statement, parameter or row ever reaches the log: an ERROR's text can quote any of them, so errors go to the
    // client only, and the log keeps what the server says of itself (LOG, FATAL, PANIC).
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_statement: 'none',
    log_min_duration_statement: -1,
    log_parameter_max_length: 0,
    log_parameter_max_length_on_error: 0,
    log_checkpoints: false,
    log_lock_waits: false,
    log_autovacuum_min_duration: -1,
    log_temp_files: -1,
  }
}

/** Every connection comes through the socket and proves its password. */
const accessRules = 'local all all scram-sha-256\n'

/** Writes both configuration files anew, so that they say what this version of the code means. */
export async function writeSettings(place: Place, socketFolder: string): Promise<void> {
  const lines = Object.entries(settings(place, socketFolder)).map(
    ([name, value]) => `${name} = ${quote(value)}\n`,
  )
  const head = '# Written by Auricle at every start; changes are lost.\n'
  await writeDurably(place.settingsFile, head + lines.join(''), readableFileMode)
  await writeDurably(place.accessFile, head + accessRules, readableFileMode)
}

function quote(value: Setting): string {
  if (typeof value !== 'string') return typeof value === 'number' ? String(value) : value ? 'on' : 'off'
  return `'${value.replaceAll("'", "''")}'`
}
