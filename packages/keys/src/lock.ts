// A lock file among processes: one holder, and a dead holder's lock is broken by exactly one other.
//
// The file appears complete (written aside, then linked) and names its holder and a token that never comes
// again. Whoever finds the holder dead takes the lock `<lock>.break-<token>` in the same way, which only one
// can have, looks whether the token is still there, and removes it. A breaker that dies is broken like any holder.
import { randomUUID } from 'node:crypto'
import { link, open, readFile, readlink, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { hasCode, KeyError } from './error.ts'

const retryMs = 10
const lockMode = 0o600

const Holder = z.strictObject({
  token: z.uuid(),
  pid: z.int().min(1),
  /** Host, start of its kernel and PID namespace: process numbers mean nothing in another one. */
  place: z.string(),
  /** When the process began, as its kernel tells it: a number may be given out again. */
  startedAt: z.string(),
})
type Holder = z.infer<typeof Holder>

/**
 * Holds the lock until its scope ends. Throws `unavailable` when it cannot be had within `timeoutMs`: also when
 * its holder is in another machine or container, which cannot be told dead from here.
 */
export async function lockFile(
  path: string,
  timeoutMs: number,
  signal?: AbortSignal | undefined,
): Promise<AsyncDisposable> {
  const self = await describeSelf()
  const deadline = performance.now() + timeoutMs
  await take(path, self, deadline, signal)
  return {
    async [Symbol.asyncDispose]() {
      if ((await readHolder(path))?.token === self.token) await unlink(path)
    },
  }
}

async function take(path: string, self: Holder, deadline: number, signal?: AbortSignal): Promise<void> {
  const aside = `${path}.${self.token}`
  await writeDurably(aside, JSON.stringify(self))
  try {
    while (!(await linkNew(aside, path))) {
      signal?.throwIfAborted()
      if (performance.now() > deadline) throw await heldTooLong(path)
      const holder = await readHolder(path)
      if (holder !== null && (await isDead(holder, self))) await breakLock(path, holder, deadline, signal)
      else await sleep(retryMs, undefined, { signal })
    }
  } finally {
    await unlink(aside)
  }
}

async function breakLock(path: string, dead: Holder, deadline: number, signal?: AbortSignal): Promise<void> {
  const breaking = `${path}.break-${dead.token}`
  const self = await describeSelf()
  await take(breaking, self, deadline, signal)
  try {
    if ((await readHolder(path))?.token === dead.token) await unlink(path)
  } finally {
    await unlink(breaking)
  }
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', lockMode)
  await file.writeFile(text)
  await file.sync()
}

/** Null when nobody holds it. Throws `unavailable` when the file is not one of ours. */
async function readHolder(path: string): Promise<Holder | null> {
  const text = await readOr(readFile(path, 'utf8'), null)
  if (text === null) return null
  try {
    return Holder.parse(JSON.parse(text))
  } catch (cause) {
    throw new KeyError('unavailable', `${path} is not a lock file of ours: see who made it, then remove it`, {
      cause,
    })
  }
}

async function heldTooLong(path: string): Promise<KeyError> {
  const holder = await readHolder(path)
  const who = holder === null ? 'others' : `process ${holder.pid} in ${holder.place}`
  return new KeyError('unavailable', `The keyring is locked by ${who}; if that is gone, remove ${path}`)
}

async function describeSelf(): Promise<Holder> {
  const { pid } = process
  return { token: randomUUID(), pid, place: await describePlace(), startedAt: await startOf(pid) }
}

async function describePlace(): Promise<string> {
  const boot = await readOr(readFile('/proc/sys/kernel/random/boot_id', 'utf8'), '')
  const machine = await readOr(readFile('/etc/machine-id', 'utf8'), '')
  const namespace = await readOr(readlink('/proc/self/ns/pid'), '')
  return [`${hostname()}/${machine.trim()}`, boot.trim(), namespace].filter(part => part !== '').join(' ')
}

/** Field 22 of /proc/<pid>/stat (proc(5)); empty where there is no such file system, or no such process. */
async function startOf(pid: number): Promise<string> {
  const text = await readOr(readFile(`/proc/${pid}/stat`, 'utf8'), '')
  // The second field is a name in brackets that may hold anything, so fields are counted from its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const startedAtField = 19
  return fields[startedAtField] ?? ''
}

async function isDead(holder: Holder, self: Holder): Promise<boolean> {
  if (holder.place !== self.place) return isFromEarlierBoot(holder, self)
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return true
    if (!hasCode(error, 'EPERM')) throw error
  }
  return (await startOf(holder.pid)) !== holder.startedAt
}

/** The same machine with another start of its kernel: nothing of then is alive. */
function isFromEarlierBoot(holder: Holder, self: Holder): boolean {
  const [host, boot] = holder.place.split(' ')
  const [ownHost, ownBoot] = self.place.split(' ')
  if (boot === undefined || ownBoot === undefined) return false
  return host === ownHost && host?.endsWith('/') === false && boot !== ownBoot
}

/** `otherwise` where there is no such file. */
async function readOr<T>(reading: Promise<string>, otherwise: T): Promise<string | T> {
  try {
    return await reading
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return otherwise
    throw error
  }
}
