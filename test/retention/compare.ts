// The engine's answer to a case beside the model's.
import { type Clock, decide, rulesInForce, stateAt } from '@auricle/retention'
import { holdId } from './cases.ts'
import { answer, type ModelAnswer, type ModelCase, type ModelClock } from './model.ts'

export interface Disagreement {
  readonly asked: ModelCase
  readonly engine: ModelAnswer
  readonly model: ModelAnswer
}

export interface Comparison {
  /** Null where the two say the same. */
  readonly disagreement: Disagreement | null
  /** What the case was a case of. */
  readonly seen: readonly string[]
}

export function compareAnswers(asked: ModelCase): Comparison {
  const model = answer(asked)
  const engine = ask(asked)
  const isAlike = JSON.stringify(engine) === JSON.stringify(model)
  return { disagreement: isAlike ? null : { asked, engine, model }, seen: kindsOf(model) }
}

function kindsOf({ state, clocks }: ModelAnswer): readonly string[] {
  const kinds = [
    `state ${state}`,
    ...clocks.map(({ why }) => `clock from ${why}`),
    ...clocks.flatMap(({ minor }) =>
      minor === null ? [] : [minor.known ? 'minor by birth date' : 'minor, birth date unknown'],
    ),
  ]
  return [...new Set(kinds)]
}

function ask({ versions, at, facts, zone, holds, lookAfterMs }: ModelCase): ModelAnswer {
  const decision = decide(facts, rulesInForce(versions, new Date(at)), { zone })
  const { status, keepUntil, dueAt, disposal, locked, governing, clocks } = decision
  const look = new Date((dueAt ?? keepUntil).getTime() + lookAfterMs)
  const { state } = stateAt(decision, holds > 0 ? [{ holdId }] : [], look)
  return {
    status,
    keepUntil: keepUntil.getTime(),
    due: dueAt?.getTime() ?? null,
    disposal,
    locked,
    governing: governing === null ? null : `${governing.ruleId}/${governing.version}`,
    clocks: clocks.map(readClock),
    state,
  }
}

function readClock({ ruleId, version, why, from, until, atLeast, dueAt, minor }: Clock): ModelClock {
  return {
    rule: `${ruleId}/${version}`,
    why,
    from: from?.getTime() ?? null,
    until: until?.getTime() ?? null,
    atLeast: atLeast.getTime(),
    due: dueAt?.getTime() ?? null,
    minor:
      minor === null
        ? null
        : { known: minor.isBirthDateKnown, majorityOn: minor.majorityOn, until: minor.until.getTime() },
  }
}
