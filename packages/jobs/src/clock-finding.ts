// Whether a queue's server and this machine agree on the time: locks of jobs are told by one and judged by the other.
import type { Finding } from '@auricle/contract'

const skewMostMs = 5000
const millisecondsPerSecond = 1000

export function clockFinding(serverMs: number): Finding {
  const skewMs = Math.abs(Date.now() - serverMs)
  const seconds = (skewMs / millisecondsPerSecond).toFixed(1)
  return {
    name: 'queue clock',
    state: skewMs > skewMostMs ? 'warn' : 'ok',
    found: `its clock and this machine's are ${seconds} s apart`,
    mend: skewMs > skewMostMs ? 'Set both clocks by the same time servers (timedatectl set-ntp true).' : null,
  }
}
