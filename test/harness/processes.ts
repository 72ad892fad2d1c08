// Which processes of this machine descend from a run: those that inherited its temporary folder (Linux, proc(5)).
import { readdir, readFile, readlink } from 'node:fs/promises'

export interface FoundProcess {
  readonly pid: number
  readonly command: string
}

/** Processes whose environment or working folder names `folder`. Empty where there is no /proc. */
export async function findProcesses(folder: string): Promise<readonly FoundProcess[]> {
  const names = await readdir('/proc').catch(() => [])
  const found: FoundProcess[] = []
  for (const name of names) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const [environment, cwd] = await Promise.all([
      // It may end while we look, or belong to somebody else.
      readFile(`/proc/${name}/environ`, 'latin1').catch(() => ''),
      readlink(`/proc/${name}/cwd`).catch(() => ''),
    ])
    if (!environment.includes(folder) && !cwd.startsWith(folder)) continue
    const command = await readFile(`/proc/${name}/cmdline`, 'latin1').catch(() => '')
    if (command !== '') found.push({ pid: Number(name), command: command.replaceAll('\0', ' ').trim() })
  }
  return found
}
