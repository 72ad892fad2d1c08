// What the kernel knows of a process (Linux, proc(5)): its memory and its processor time.
import { readFileSync } from 'node:fs'

const bytesPerKibibyte = 1024
/** USER_HZ: 100 on every Linux that Node runs on. */
const msPerTick = 10

function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes ?? 0) * bytesPerKibibyte
}

/** Time that the processor spent on it, with all its threads, since it began. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in brackets, may hold anything: fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * msPerTick
}

export interface MemoryWatch extends Disposable {
  /** Most bytes that were resident so far. */
  readonly peakBytes: number
}

export function watchMemory(pid: number, everyMs = 100): MemoryWatch {
  let peakBytes = residentBytes(pid)
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(pid))
  }, everyMs)
  return {
    get peakBytes() {
      return peakBytes
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
