// Whether two places for objects are apart: a copy in the same place is none.
import { realpath } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import type { StoreAddress } from './address.ts'

/** Going by their names. Two prefixes of one bucket are one place: they have one location, and go together. */
export function areApart(one: StoreAddress, other: StoreAddress): boolean {
  if (one.kind === 'bucket' && other.kind === 'bucket') return one.bucket !== other.bucket
  if (one.kind === 'bucket' || other.kind === 'bucket') return true
  return !liesWithin(one.folder, other.folder) && !liesWithin(other.folder, one.folder)
}

/** The same, following symbolic links: a path tells what is asked for, and only the file system where it leads. */
export async function areReallyApart(one: StoreAddress, other: StoreAddress): Promise<boolean> {
  return areApart(await followed(one), await followed(other))
}

async function followed(address: StoreAddress): Promise<StoreAddress> {
  return address.kind === 'bucket' ? address : { ...address, folder: await realPath(address.folder) }
}

/** Whether a folder is the other one or lies in it, going by their absolute paths. */
function liesWithin(folder: string, other: string): boolean {
  const [inner, outer] = [resolve(folder), resolve(other)]
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}

/** Of a folder that does not exist yet: itself. */
async function realPath(folder: string): Promise<string> {
  try {
    return await realpath(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return folder
    throw error
  }
}
