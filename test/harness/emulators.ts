// The emulators as a process beside the product's, with the door through which a harness looks at them and spoils them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Uses } from '../emulators/callers.ts'
import type { FaultRuleText } from '../emulators/fault-rule.ts'

const stopMostMs = 5_000
const main = fileURLToPath(new URL('../emulators/main.ts', import.meta.url))

export interface EmulatorCounts {
  readonly requests: Readonly<Record<string, number>>
  readonly injected: Readonly<Record<string, number>>
  readonly injectedByOperation: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly uses: Uses
}

export interface EmulatedService {
  counts(): Promise<EmulatorCounts>
  addFault(rule: FaultRuleText): Promise<void>
  clearFaults(): Promise<void>
  /** What the control of the service answers, as JSON tells it. */
  command<Answer>(name: string, input?: object): Promise<Answer>
}

export interface Emulators extends AsyncDisposable {
  /** Of the servers, by name, in the order in which they were asked for. */
  readonly addresses: Readonly<Record<string, readonly string[]>>
  service(name: 'gcs' | 'kms'): EmulatedService
}

/** `servers`: pairs of a name and options, as `test/emulators/main.ts` takes them. */
export async function startEmulators(servers: readonly (readonly [string, object])[]): Promise<Emulators> {
  const args = servers.map(([name, options]) => `${name}=${JSON.stringify(options)}`)
  const child = spawn(process.execPath, [main, ...args], {
    // Ctrl-C ends the product first, which needs them until then.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const [line] = await Promise.race([
    once(lines, 'line'),
    ended.then(([code]) => {
      throw new Error(`The emulators ended with ${code}`)
    }),
  ])
  const { control, ...addresses } = JSON.parse(String(line))
  return {
    addresses,
    service: name => serviceAt(`${control}/${name}`),
    async [Symbol.asyncDispose]() {
      lines.close()
      child.kill('SIGTERM')
      // After many cut connections Node 24 may wait for ever, at its very end, for handles that are none any more.
      const force = setTimeout(() => child.kill('SIGKILL'), stopMostMs)
      await ended
      clearTimeout(force)
    },
  }
}

function serviceAt(url: string): EmulatedService {
  const ask = async <Answer>(method: string, what: string, input?: object): Promise<Answer> => {
    const body = input === undefined ? null : JSON.stringify(input)
    const response = await fetch(`${url}${what}`, { method, body })
    const answer = (await response.json()) as Answer
    if (!response.ok) throw new Error(`${method} ${url}${what}: ${JSON.stringify(answer)}`)
    return answer
  }
  return {
    counts: () => ask('GET', ''),
    addFault: rule => ask('POST', '/faults', rule),
    clearFaults: () => ask('DELETE', '/faults'),
    command: (name, input = {}) => ask('POST', `/${name}`, input),
  }
}
