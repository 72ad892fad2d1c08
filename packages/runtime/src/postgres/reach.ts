// Whether another user can get at a path: the mode bits of every folder on the way, as the kernel reads them.
import type { Stats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Account } from './account.ts'
import { isMissing } from './error.ts'

/** Bits of one permission triple (chmod(2)). */
const mayRead = 4
const mayEnter = 1
const ownerShift = 6
const groupShift = 3

/** Whether the mode bits give `wanted` (a sum of the permission bits) to a user without further groups. */
function allows(facts: Stats, account: Account, wanted: number): boolean {
  // The first class that fits decides alone, even where a later one would give more (path_resolution(7)).
  const shift = facts.uid === account.uid ? ownerShift : facts.gid === account.gid ? groupShift : 0
  return ((facts.mode >> shift) & wanted) === wanted
}

/**
 * The first folder on the way to `target` (itself included, if it is a folder) that the user may not enter; null where
 * the way is free. Parts that do not exist yet are no barrier. Links are followed first.
 */
export async function findBarrier(target: string, account: Account): Promise<string | null> {
  for (const folder of ancestors(await realAncestor(path.resolve(target)))) {
    const facts = await stat(folder)
    if (facts.isDirectory() && !allows(facts, account, mayEnter)) return folder
  }
  return null
}

/** Whether the user may read a file or list a folder, the way to it left aside. */
export async function mayReadPath(target: string, account: Account): Promise<boolean> {
  const facts = await stat(target)
  return allows(facts, account, facts.isDirectory() ? mayRead | mayEnter : mayRead)
}

/** Whether the user may run a file, the way to it left aside. */
export async function mayRun(target: string, account: Account): Promise<boolean> {
  return allows(await stat(target), account, mayRead | mayEnter)
}

/** The deepest existing part of a path, without links. */
async function realAncestor(target: string): Promise<string> {
  try {
    return await realpath(target)
  } catch (error) {
    if (!isMissing(error)) throw error
    return await realAncestor(path.dirname(target))
  }
}

/** A path's folders from the root down to itself. */
function ancestors(target: string): readonly string[] {
  const parent = path.dirname(target)
  return parent === target ? [target] : [...ancestors(parent), target]
}
