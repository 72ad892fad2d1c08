// Which processes of this machine descend from a run (Linux, proc(5)).
import { readdir, readFile } from 'node:fs/promises'

export interface FoundProcess {
  readonly pid: number
  readonly command: string
}

/** In /proc/pid/stat after the name, which may hold anything: state, parent, group, session. */
const sessionField = 3

/**
 * Processes of the given sessions: a service leads one of its own, which its children stay in when it is killed.
 * Empty where there is no /proc.
 */
export async function findProcesses(sessions: ReadonlySet<number>): Promise<readonly FoundProcess[]> {
  const names = await readdir('/proc').catch(() => [])
  const found = await Promise.all(
    names
      .filter(name => /^\d+$/.test(name))
      .map(async name => {
        // It may end while we look.
        const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '')
        const session = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[sessionField])
        if (!sessions.has(session)) return null
        const command = await readFile(`/proc/${name}/cmdline`, 'latin1').catch(() => '')
        return command === '' ? null : { pid: Number(name), command: command.replaceAll('\0', ' ').trim() }
      }),
  )
  return found.filter(one => one !== null)
}
