// What goes wrong with Google's services during a storm, and whether as much of it did as was asked for.
import type { Fault, FaultType } from '../emulators/faults.ts'
import type { EmulatedService, EmulatorCounts } from '../harness/emulators.ts'
import type { Google } from '../harness/google.ts'
import { printTable, type Verdict } from '../harness/verdict.ts'

/** Of the requests to either service. */
const share = 0.05

/** Each as likely as the others; together they strike the share. */
const everywhere: readonly Fault[] = [
  { type: 'status', status: 503, code: 14 },
  { type: 'status', status: 500, code: 13 },
  { type: 'status', status: 429, code: 8, retryAfterSeconds: 1 },
  { type: 'cut', afterBytes: 200 },
  { type: 'cut', afterBytes: 2_000, side: 'request' },
  { type: 'slow', ms: 800 },
  { type: 'lost-acknowledgement' },
  { type: 'expired-token' },
]

/** On top of the share, where there is something to spoil. */
const whereThereAreBytes: readonly Fault[] = [
  { type: 'corrupt', what: 'bytes' },
  { type: 'corrupt', what: 'checksum' },
  { type: 'cut', afterBytes: 50_000 },
]

const types: readonly FaultType[] = [
  'status',
  'cut',
  'corrupt',
  'slow',
  'lost-acknowledgement',
  'expired-token',
]

/** How far below what is likely a count may be: four standard deviations. */
const deviationsMost = 4

export interface Faults {
  /** From now on nothing goes wrong. Resolves with what did. */
  end(): Promise<readonly Struck[]>
}

export interface Struck {
  readonly service: string
  readonly requests: number
  readonly injected: number
  readonly byOperation: EmulatorCounts['injectedByOperation']
}

export async function startFaults({ storage, keys }: Google): Promise<Faults> {
  const services = { 'Cloud Storage': storage, 'Cloud KMS': keys }
  const before = new Map<string, EmulatorCounts>()
  for (const [name, service] of Object.entries(services)) {
    before.set(name, await service.counts())
    await addRules(service)
  }
  return {
    async end() {
      const struck: Struck[] = []
      for (const [name, service] of Object.entries(services)) {
        await service.clearFaults()
        const { requests, injected, injectedByOperation } = await service.counts()
        const requestsBefore = sum(before.get(name)?.requests ?? {})
        struck.push({
          service: name,
          requests: sum(requests) - requestsBefore,
          injected: sum(injected),
          byOperation: injectedByOperation,
        })
      }
      return struck
    },
  }
}

async function addRules(service: EmulatedService): Promise<void> {
  const probability = share / everywhere.length
  for (const fault of everywhere) await service.addFault({ operation: 'any', fault, probability })
  for (const fault of whereThereAreBytes) {
    const operation = fault.type === 'cut' ? '/media|resumable/' : 'any'
    await service.addFault({ operation, fault, probability })
  }
}

export function checkFaults(struck: readonly Struck[], verdict: Verdict): void {
  printTable(
    ['faults', ...types],
    struck.flatMap(({ service, byOperation }) =>
      Object.entries(byOperation)
        .sort(([one], [other]) => one.localeCompare(other))
        .map(([operation, counts]) => [
          `${service} ${operation}`,
          ...types.map(type => String(counts[type] ?? '')),
        ]),
    ),
  )
  for (const { service, requests, injected } of struck) {
    const least = requests * share - deviationsMost * Math.sqrt(requests * share * (1 - share))
    verdict.check(
      requests > 0 && injected >= least,
      `${service} failed as often as it was told to`,
      `${injected} faults in ${requests} requests, ${((100 * injected) / requests).toFixed(1)} %`,
    )
  }
  const missing = types.filter(type =>
    struck.every(({ byOperation }) => Object.values(byOperation).every(counts => counts[type] === undefined)),
  )
  verdict.check(missing.length === 0, 'every kind of fault struck', missing.join(', '))
}

const sum = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((total, count) => total + count, 0)
