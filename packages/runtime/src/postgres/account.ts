// Which user PostgreSQL runs as: ourselves, or, since it refuses to run as root, an unprivileged user of the machine.
import { readFile, stat } from 'node:fs/promises'
import { isMissing, PostgresError } from './error.ts'

/** A user of the machine, by number. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/** Who runs PostgreSQL for us when we are root, in order of preference. */
const preferredUsers = ['auricle', 'postgres', 'nobody'] as const

const passwdFile = '/etc/passwd'

/** Whether this process runs as root, and PostgreSQL therefore needs another user. */
export function runsAsRoot(): boolean {
  return process.geteuid?.() === 0
}

/** The owner of a folder; null where there is no such folder. */
export async function findOwner(folder: string): Promise<Account | null> {
  try {
    const { uid, gid } = await stat(folder)
    return { uid, gid }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** The first of the preferred users that this machine has. Throws `unsupported` where it has none. */
export async function findServiceAccount(): Promise<Account> {
  const users = parsePasswd(await readFile(passwdFile, 'utf8'))
  for (const name of preferredUsers) {
    const account = users.get(name)
    if (account !== undefined && account.uid !== 0) return account
  }
  throw new PostgresError(
    'unsupported',
    'PostgreSQL does not run as root, and this machine has none of the users auricle, postgres and nobody. ' +
      'Create one (useradd --system auricle) or start Auricle as an ordinary user.',
  )
}

/** Users by name, from the text of a passwd file (passwd(5)); lines that are not well formed are left out. */
export function parsePasswd(text: string): ReadonlyMap<string, Account> {
  const users = new Map<string, Account>()
  for (const line of text.split('\n')) {
    const [, name, uid, gid] = /^([^:#]+):[^:]*:(\d+):(\d+):/.exec(line) ?? []
    if (name !== undefined && !users.has(name)) users.set(name, { uid: Number(uid), gid: Number(gid) })
  }
  return users
}
