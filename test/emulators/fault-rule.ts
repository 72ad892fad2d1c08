// A rule for faults as JSON, for whoever gives it to an emulator in another process.
import type { Fault, FaultRule } from './faults.ts'

/**
 * As `FaultRule`, but an operation between slashes is a pattern, and `resource` is a pattern that the resource has to
 * match, where a rule within the process would have `when`.
 */
export interface FaultRuleText {
  readonly operation: string
  readonly fault: Fault
  readonly times?: number
  readonly probability?: number
  readonly skip?: number
  readonly resource?: string
}

const needs: Readonly<Record<Fault['type'], readonly string[]>> = {
  status: [],
  cut: ['afterBytes'],
  corrupt: ['what'],
  slow: ['ms'],
  'lost-acknowledgement': [],
  'expired-token': [],
}

/** Throws what it cannot read, since a rule that never strikes would look like a service that stands everything. */
export function parseFaultRule(value: unknown): FaultRule {
  const { operation, fault, times, probability, skip, resource, ...unknown } = value as FaultRuleText
  const [strange] = Object.keys(unknown)
  if (strange !== undefined) throw new Error(`A rule has no ${strange}`)
  if (typeof operation !== 'string') throw new Error('A rule names an operation')
  if (!Object.hasOwn(needs, fault?.type ?? '')) throw new Error('A rule has a fault of a known type')
  const missing = needs[fault.type].find(name => !Object.hasOwn(fault, name))
  if (missing !== undefined) throw new Error(`A fault of the type ${fault.type} needs ${missing}`)
  const pattern = /^\/(.*)\/$/.exec(operation)?.[1]
  const resources = resource === undefined ? null : new RegExp(resource)
  return {
    operation: pattern === undefined ? operation : new RegExp(pattern),
    fault,
    times,
    probability,
    skip,
    when: resources === null ? undefined : request => resources.test(request.resource),
  }
}
