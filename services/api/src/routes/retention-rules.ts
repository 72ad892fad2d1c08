// Rules of keeping: proposed, approved, withdrawn, listed; the presets to begin with; and the settings beside them.
import {
  NewRule,
  NewRuleVersion,
  RetentionPresetList,
  RetentionSettings,
  RuleApproval,
  RuleId,
  RuleList,
  RuleView,
  type Session,
  VersionNumber,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  approveVersion,
  changeRetentionSettings,
  listPresets,
  listRules,
  proposeRule,
  proposeVersion,
  type RetentionSettingsParts,
  type RuleParts,
  showRetentionSettings,
  showRule,
  withdrawVersion,
} from '@auricle/vault'
import type { Request } from 'express'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { created, type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  NewRule,
  NewRuleVersion,
  RetentionPresetList,
  RetentionSettings,
  RuleApproval,
  RuleList,
  RuleView,
} as const satisfies Record<string, z.ZodType>

const params = { id: { schema: RuleId, description: "The rule's id." } }
const ofVersion = {
  ...params,
  version: { schema: VersionNumber, description: 'Which version of it, from 1.' },
}

export const table = [
  {
    operationId: 'listRetentionRules',
    method: 'get',
    path: '/v1/retention-rules',
    needs: 'rule.read',
    summary: 'List rules of keeping',
    description: 'All of them with all of their versions, those that are proposed or ended too.',
    answers: [ok('RuleList', 'The rules.')],
    problems: ['denied'],
  },
  {
    operationId: 'proposeRetentionRule',
    method: 'post',
    path: '/v1/retention-rules',
    needs: 'retention.manage',
    summary: 'Propose a rule of keeping',
    description:
      'In force at once, or from `effectiveFrom` on, unless recordings could be destroyed by it without anybody looking: ' +
      'then it waits for somebody else to approve it.',
    body: 'NewRule',
    answers: [created('RuleView', 'The rule; the state of its version says whether it is in force.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'showRetentionRule',
    method: 'get',
    path: '/v1/retention-rules/{id}',
    params,
    needs: 'rule.read',
    summary: 'Show a rule of keeping',
    description: 'With all of its versions.',
    answers: [ok('RuleView', 'The rule.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'proposeRuleVersion',
    method: 'post',
    path: '/v1/retention-rules/{id}/versions',
    params,
    needs: 'retention.manage',
    summary: 'Propose a change of a rule, or its end',
    description:
      'In force at once, or from `effectiveFrom` on, where it keeps everything at least as long as what was agreed before. ' +
      'What shortens waits for somebody else to approve it. Without a `definition` the rule ends.',
    body: 'NewRuleVersion',
    answers: [created('RuleView', 'The rule with the new version.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'approveRuleVersion',
    method: 'post',
    path: '/v1/retention-rules/{id}/versions/{version}/approval',
    params: ofVersion,
    needs: 'retention.approve',
    summary: 'Approve a change that shortens',
    description:
      'By somebody else than proposed it. In force after the days that the settings say, thirty at least, or from ' +
      '`effectiveFrom` on.',
    body: 'RuleApproval',
    answers: [created('RuleView', 'The rule as it is then.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict', 'tooLarge'],
  },
  {
    operationId: 'withdrawRuleVersion',
    method: 'post',
    path: '/v1/retention-rules/{id}/versions/{version}/withdrawal',
    params: ofVersion,
    needs: 'retention.manage',
    summary: 'Withdraw a change that is not in force',
    description: 'Proposed, or approved for later; of those that are approved, the last first.',
    answers: [created('RuleView', 'The rule as it is then.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'notFound', 'conflict'],
  },
  {
    operationId: 'listRetentionPresets',
    method: 'get',
    path: '/v1/retention-presets',
    needs: 'rule.read',
    summary: 'List presets to begin with',
    description:
      'What laws say of records and what practices commonly do, each with its source and how sure it is. None is in force ' +
      'before somebody proposes a rule made from it; confirm it with counsel first.',
    answers: [ok('RetentionPresetList', 'The presets.')],
    problems: ['denied'],
  },
  {
    operationId: 'showRetentionSettings',
    method: 'get',
    path: '/v1/retention-settings',
    needs: 'rule.read',
    summary: 'Show the settings of retention',
    description:
      'By which calendar years count, how many people look at a disposition, how long each step waits.',
    answers: [ok('RetentionSettings', 'The settings.')],
    problems: ['denied'],
  },
  {
    operationId: 'changeRetentionSettings',
    method: 'put',
    path: '/v1/retention-settings',
    needs: 'retention.manage',
    summary: 'Change the settings of retention',
    description: 'All of them at once.',
    body: 'RetentionSettings',
    answers: [ok('RetentionSettings', 'The settings as they are now.')],
    problems: ['malformed', 'stepUpRequired', 'denied', 'tooLarge'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface RetentionRuleRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly retention: RuleParts & RetentionSettingsParts
}

const idOf = (request: Request) => RuleId.parse(request.params['id'])
const versionOf = (request: Request) => ({
  id: idOf(request),
  version: VersionNumber.parse(request.params['version']),
})

export function createRetentionRuleHandlers({ identity, retention }: RetentionRuleRouteParts) {
  return {
    async listRetentionRules(request, response) {
      response.json(await listRules(retention, factsOf(identity, request), exchangeOf(request)))
    },
    async proposeRetentionRule(request, response) {
      const asked = NewRule.parse(request.body)
      const facts = factsOf(identity, request)
      response.status(201).json(await proposeRule(retention, facts, asked, exchangeOf(request)))
    },
    async showRetentionRule(request, response) {
      const facts = factsOf(identity, request)
      response.json(await showRule(retention, facts, idOf(request), exchangeOf(request)))
    },
    async proposeRuleVersion(request, response) {
      const asked = NewRuleVersion.parse(request.body)
      const facts = factsOf(identity, request)
      const rule = await proposeVersion(retention, facts, idOf(request), asked, exchangeOf(request))
      response.status(201).json(rule)
    },
    async approveRuleVersion(request, response) {
      const approval = RuleApproval.parse(request.body)
      const facts = factsOf(identity, request)
      const rule = await approveVersion(retention, facts, versionOf(request), approval, exchangeOf(request))
      response.status(201).json(rule)
    },
    async withdrawRuleVersion(request, response) {
      const facts = factsOf(identity, request)
      const rule = await withdrawVersion(retention, facts, versionOf(request), exchangeOf(request))
      response.status(201).json(rule)
    },
    async listRetentionPresets(request, response) {
      response.json(await listPresets(retention, factsOf(identity, request), exchangeOf(request)))
    },
    async showRetentionSettings(request, response) {
      const facts = factsOf(identity, request)
      response.json(await showRetentionSettings(retention, facts, exchangeOf(request)))
    },
    async changeRetentionSettings(request, response) {
      const settings = RetentionSettings.parse(request.body)
      const facts = factsOf(identity, request)
      response.json(await changeRetentionSettings(retention, facts, settings, exchangeOf(request)))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
