// Keeps the memory of this process, which holds keys and plaintext, out of core files, as far as a process can.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const prlimitTimeoutMs = 5000

/**
 * Best effort, Linux only: leaves all memory out of dumps (core(5), `coredump_filter`: it holds also where dumps are
 * piped to a collector, which ignores the size limit) and sets the size limit to 0. Child processes inherit both.
 * Returns whether the first worked; `docs/operations/hardening.md` has what the operator sets from outside.
 */
export async function disableCoreDumps(options: { readonly pid: number }): Promise<boolean> {
  if (process.platform !== 'linux') return false
  const limited = promisify(execFile)('prlimit', ['--core=0', '--pid', String(options.pid)], {
    timeout: prlimitTimeoutMs,
  })
  const [filtered] = await Promise.allSettled([
    writeFile(`/proc/${options.pid}/coredump_filter`, '0x0'),
    limited,
  ])
  return filtered.status === 'fulfilled'
}
