// Where the database lies and as whom it runs: in the folder asked for, or, when root asks for one that PostgreSQL's
// user cannot reach, in a folder of its own under /var/lib, which the folder asked for then names.
import { createHash, randomUUID } from 'node:crypto'
import { chmod, chown, mkdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { type Account, findOwner, findServiceAccount, runsAsRoot } from './account.ts'
import { readableFileMode, readIfPresent, writeDurably } from './durable.ts'
import { isPresent, PostgresError } from './error.ts'
import { findBarrier } from './reach.ts'

export interface Place {
  /** Holds everything below; a real path. */
  readonly folder: string
  /** Who owns the database's files and runs its processes; null: the user who started us. */
  readonly account: Account | null
  readonly dataFolder: string
  readonly logFolder: string
  readonly socketFolder: string
  readonly passwordFile: string
  readonly settingsFile: string
  readonly accessFile: string
}

/** Where root keeps what an unprivileged user must reach. */
export const systemFolder = '/var/lib/auricle'

const locationFile = 'location'
const systemFolderMode = 0o755
/** Others may pass through, as PostgreSQL's user must, and see nothing. */
const passableMode = 0o711
const privateMode = 0o700
const hashCharacters = 12

/** Where the database of `home` lies; the same on every start. Throws `unusable` where it cannot be reached. */
export async function findPlace(home: string): Promise<Place> {
  return runsAsRoot() ? await findPlaceAsRoot(home) : await findPlaceAsUser(home)
}

/** The folder that holds the database of `home`, whether it was moved to the system folder or not. */
export async function findDatabaseFolder(home: string): Promise<string> {
  return (await readIfPresent(path.join(home, locationFile)))?.trim() ?? home
}

async function findPlaceAsUser(home: string): Promise<Place> {
  const place = describePlace(await realpath(await findDatabaseFolder(home)), null)
  const owner = await findOwner(place.dataFolder)
  if (owner !== null && owner.uid !== process.geteuid?.()) {
    throw new PostgresError(
      'unusable',
      `The database in ${place.folder} belongs to another user (uid ${owner.uid}). Start Auricle as the user who made it.`,
    )
  }
  return place
}

async function findPlaceAsRoot(home: string): Promise<Place> {
  const recorded = await findDatabaseFolder(home)
  const owner = await findOwner(path.join(recorded, 'data'))
  if (owner?.uid === 0) {
    throw new PostgresError(
      'unusable',
      `The database in ${recorded} belongs to root, and PostgreSQL does not run as root. ` +
        'Give its data folder to an ordinary user (chown -R).',
    )
  }
  const account = owner ?? (await findServiceAccount())
  const barrier = await findBarrier(recorded, account)
  if (barrier === null) return describePlace(await realpath(recorded), account)
  if (owner !== null || recorded !== home) {
    throw new PostgresError(
      'unusable',
      `PostgreSQL runs as uid ${account.uid}, which may not enter ${barrier} on the way to its database. ` +
        `Let it pass: chmod o+x ${barrier}`,
    )
  }
  return describePlace(await moveToSystemFolder(home, account), account)
}

/** Commit point: the location file. It is written first, so that a restart finds what was begun and nothing is orphaned. */
async function moveToSystemFolder(home: string, account: Account): Promise<string> {
  await prepareSystemFolder(account)
  const hash = createHash('sha256')
    .update(await realpath(home))
    .digest('hex')
    .slice(0, hashCharacters)
  const usual = path.join(systemFolder, `postgres-${hash}`)
  // One that is there already belonged to an earlier folder at the same path, and is not ours to use or to remove.
  const folder =
    (await findOwner(usual)) === null ? usual : `${usual}-${randomUUID().slice(0, hashCharacters)}`
  await writeDurably(path.join(home, locationFile), `${folder}\n`, readableFileMode)
  await makeFolder(folder, passableMode, null)
  return folder
}

/** Makes the folder that root shares with PostgreSQL's user, and throws `unusable` where others could meddle with it. */
export async function prepareSystemFolder(account: Account): Promise<void> {
  await makeFolder(systemFolder, systemFolderMode, null)
  const facts = await stat(systemFolder)
  const writableByOthers = 0o022
  const barrier = await findBarrier(systemFolder, account)
  if (facts.uid !== 0 || (facts.mode & writableByOthers) !== 0 || barrier !== null) {
    throw new PostgresError(
      'unusable',
      `PostgreSQL's user (uid ${account.uid}) must be able to enter ${systemFolder}, and only root may write there. ` +
        `Set that right: chown root ${systemFolder}; chmod 755 ${barrier ?? systemFolder}`,
    )
  }
}

/** Makes the folders of a place, closed to everybody but the database's user. */
export async function preparePlace(place: Place): Promise<void> {
  await makeFolder(place.folder, passableMode, null)
  await makeFolder(place.logFolder, privateMode, place.account)
  await makeFolder(place.socketFolder, privateMode, place.account)
}

/** Makes the folder that was asked for; root leaves it passable, so that the database can lie in it. */
export async function makeHome(home: string): Promise<string> {
  await mkdir(path.dirname(home), { recursive: true })
  await makeFolder(home, runsAsRoot() ? passableMode : privateMode, null)
  return await realpath(home)
}

/** Makes a folder with exactly this mode and owner (null: ours); one that is there keeps its mode. */
export async function makeFolder(folder: string, mode: number, owner: Account | null): Promise<void> {
  try {
    await mkdir(folder, { mode })
    await chmod(folder, mode)
  } catch (error) {
    if (!isPresent(error)) throw error
  }
  if (owner !== null) await chown(folder, owner.uid, owner.gid)
}

/** The parts of a place by name. */
export function describePlace(folder: string, account: Account | null): Place {
  return {
    folder,
    account,
    dataFolder: path.join(folder, 'data'),
    logFolder: path.join(folder, 'log'),
    socketFolder: path.join(folder, 'run'),
    passwordFile: path.join(folder, 'passwords.json'),
    settingsFile: path.join(folder, 'postgresql.conf'),
    accessFile: path.join(folder, 'pg_hba.conf'),
  }
}
