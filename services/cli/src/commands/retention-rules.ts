// `auricle retention rules` and `settings`: rules of keeping as the person at the keyboard proposes and approves them.
import { readFile } from 'node:fs/promises'
import {
  type RetentionPreset,
  RetentionSettings,
  RuleApproval,
  RuleDefinition,
  RuleId,
  type RuleVersionView,
  type RuleView,
  StoragePrice,
  VersionNumber,
} from '@auricle/contract'
import { can } from '@auricle/identity'
import { findPreset, type Preset, presetCaution } from '@auricle/retention'
import {
  approveVersion,
  changeRetentionSettings,
  listPresets,
  listRules,
  proposeRule,
  proposeVersion,
  type RequestFacts,
  type RetentionSettingsParts,
  type RuleParts,
  showRetentionSettings,
  showRule,
  withdrawVersion,
} from '@auricle/vault'
import { z } from 'zod'
import { UsageError } from '../error.ts'
import { formatCount, formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { parseOptions, plainly } from '../plainly.ts'
import { inForceOf, keepWords, pendingWords, scopeWords, thenWords } from '../rule-words.ts'
import { type Column, visible } from '../table.ts'

export type Given = Readonly<Record<string, string | undefined>>

const partsOf = (operator: Operator): RuleParts & RetentionSettingsParts => ({ ...operator, decide: can })

export async function listAllRules(operator: Operator, output: Output, person: RequestFacts): Promise<void> {
  const { rules } = await plainly(listRules(partsOf(operator), person, operator))
  output.rows(rules, ruleColumns, 'There are no rules: everything is kept, and nothing is ever due')
}

const definitionOf = (rule: RuleView) => inForceOf(rule)?.definition ?? null
const orDash = (rule: RuleView, words: (definition: RuleDefinition) => string): string => {
  const definition = definitionOf(rule)
  return definition === null ? '-' : words(definition)
}

const ruleColumns: readonly Column<RuleView>[] = [
  { title: 'rule', cell: ({ name }) => name },
  { title: 'state', cell: ({ state }) => state.replace('_', ' ') },
  { title: 'of', cell: rule => orDash(rule, scopeWords) },
  { title: 'keeps', cell: rule => orDash(rule, keepWords) },
  { title: 'then', cell: rule => orDash(rule, thenWords) },
  { title: 'to come', cell: pendingWords },
  { title: 'id', cell: ({ id }) => id },
]

export async function showOneRule(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
): Promise<void> {
  const id = await ruleNamed(operator, person, text)
  await sayRule(operator, output, person, await plainly(showRule(partsOf(operator), person, id, operator)))
}

export async function proposeNewRule(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  name: string,
  given: Given,
): Promise<void> {
  const rule = parseOptions(
    z.strictObject({
      name: z.string().trim().min(1).max(100),
      effectiveFrom: RuleApproval.shape.effectiveFrom,
    }),
    { name, effectiveFrom: given['from'] },
    { name: 'A name has 1 to 100 characters', ...fromRule },
  )
  const definition = await definitionGiven(given)
  const made = await plainly(proposeRule(partsOf(operator), person, { ...rule, definition }, operator))
  await sayRule(operator, output, person, made)
}

export async function changeRule(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
  given: Given,
): Promise<void> {
  await proposeChange(operator, output, person, text, {
    definition: await definitionGiven(given),
    from: given['from'],
  })
}

export async function endRule(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
): Promise<void> {
  await proposeChange(operator, output, person, text, { definition: null, from: undefined })
}

async function proposeChange(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
  { definition, from }: { readonly definition: RuleDefinition | null; readonly from: string | undefined },
): Promise<void> {
  const { effectiveFrom } = parseOptions(RuleApproval, { effectiveFrom: from }, fromRule)
  const id = await ruleNamed(operator, person, text)
  const proposal = { definition, effectiveFrom }
  const rule = await plainly(proposeVersion(partsOf(operator), person, id, proposal, operator))
  await sayRule(operator, output, person, rule)
}

export async function approveRule(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
  given: Given,
): Promise<void> {
  const approval = parseOptions(RuleApproval, { effectiveFrom: given['from'] }, fromRule)
  const of = { id: await ruleNamed(operator, person, text), version: versionGiven(given) }
  const rule = await plainly(approveVersion(partsOf(operator), person, of, approval, operator))
  // Whoever approves may not be one who reads rules: they are told of this one alone.
  await sayRule(operator, output, person, rule)
}

export async function withdrawRule(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
  given: Given,
): Promise<void> {
  const of = { id: await ruleNamed(operator, person, text), version: versionGiven(given) }
  await sayRule(
    operator,
    output,
    person,
    await plainly(withdrawVersion(partsOf(operator), person, of, operator)),
  )
}

const fromRule = { effectiveFrom: '--from is a time in RFC 3339 UTC, such as 2027-01-01T00:00:00Z' }

const versionGiven = (given: Given) =>
  parseOptions(
    z.strictObject({ version: VersionNumber }),
    { version: given['version'] },
    {
      version: '--version-number is a whole number from 1',
    },
  ).version

/** A preset, or a definition as the API takes it, in a file. */
async function definitionGiven({ file, preset }: Given): Promise<RuleDefinition> {
  if ((file === undefined) === (preset === undefined))
    throw new UsageError('Say what the rule is: --file or --preset')
  return file === undefined ? presetNamed(preset ?? '').definition : definitionOfFile(file)
}

export async function definitionOfFile(file: string): Promise<RuleDefinition> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new UsageError(`${file} cannot be read, or is no JSON`, { cause })
  }
  const parsed = RuleDefinition.safeParse(value)
  if (!parsed.success)
    throw new UsageError(`${file} is no definition of a rule:\n${z.prettifyError(parsed.error)}`, {
      cause: parsed.error,
    })
  return parsed.data
}

/** By id, or by name among those that the person may read. */
export async function ruleNamed(operator: Operator, person: RequestFacts, text: string): Promise<RuleId> {
  const id = RuleId.safeParse(text)
  if (id.success) return id.data
  const { rules } = await plainly(listRules(partsOf(operator), person, operator))
  const found = rules.find(({ name }) => name === text)
  if (found === undefined)
    throw new UsageError(`There is no rule "${text}"; \`auricle retention rules list\` shows them`)
  return found.id
}

async function sayRule(
  operator: Operator,
  output: Output,
  { actor }: RequestFacts,
  rule: RuleView,
): Promise<void> {
  if (output.json) return output.value(rule, '')
  const people = rule.versions.flatMap(({ proposedBy, approvedBy }) =>
    [proposedBy ?? [], approvedBy ?? []].flat(),
  )
  const names = await operator.catalog.listNames(actor.tenantId, [...new Set(people)], operator)
  output.say(`${visible(rule.name)} (${rule.id}), ${rule.state.replace('_', ' ')}\n`)
  output.rows(rule.versions, versionColumns(names), '')
  for (const { version, definition } of rule.versions.slice(-1))
    if (definition?.source != null)
      output.say(`\nSource of version ${version}: ${visible(definition.source)}`)
  const waiting = rule.versions.find(({ state }) => state === 'proposed')
  if (waiting !== undefined)
    output.say(
      `\nVersion ${waiting.version} shortens: somebody else approves it with \`auricle retention rules approve\`.`,
    )
}

const versionColumns = (names: ReadonlyMap<string, string>): readonly Column<RuleVersionView>[] => {
  const nameOf = (id: string | null) => (id === null ? '-' : (names.get(id) ?? id))
  const words = (view: RuleVersionView, of: (definition: RuleDefinition) => string) =>
    view.definition === null ? 'the rule ends' : of(view.definition)
  return [
    { title: 'version', align: 'right', cell: ({ version }) => String(version) },
    { title: 'state', cell: ({ state }) => state.replace('_', ' ') },
    { title: 'effect', cell: ({ effect }) => effect },
    {
      title: 'from',
      cell: ({ effectiveFrom }) => (effectiveFrom === null ? '-' : formatTime(new Date(effectiveFrom))),
    },
    { title: 'of', cell: view => words(view, scopeWords) },
    { title: 'keeps', cell: view => words(view, keepWords) },
    { title: 'then', cell: view => words(view, thenWords) },
    { title: 'proposed by', cell: ({ proposedBy }) => nameOf(proposedBy) },
    { title: 'approved by', cell: ({ approvedBy }) => nameOf(approvedBy) },
  ]
}

// --- presets ---

/** All of them, or of one what a file would hold. */
export async function showPresets(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  id: string | undefined,
): Promise<void> {
  const { presets } = await plainly(listPresets(partsOf(operator), person, operator))
  if (id !== undefined) return output.document(`${JSON.stringify(presetNamed(id).definition, null, 2)}\n`)
  output.rows(presets, presetColumns, 'There are no presets')
  output.say(`\n${presetCaution}`)
}

function presetNamed(id: string): Preset {
  const preset = findPreset(id)
  if (preset === null)
    throw new UsageError(`There is no preset "${id}"; \`auricle retention presets\` shows them`)
  return preset
}

const presetColumns: readonly Column<RetentionPreset>[] = [
  { title: 'preset', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => name },
  { title: 'keeps', cell: ({ definition }) => keepWords(definition) },
  { title: 'then', cell: ({ definition }) => thenWords(definition) },
  { title: 'sure', cell: ({ confidence }) => confidence },
  { title: 'as of', cell: ({ asOf }) => asOf },
  { title: 'source', cell: ({ source }) => source },
]

// --- settings ---

export async function showSettings(operator: Operator, output: Output, person: RequestFacts): Promise<void> {
  saySettings(output, await plainly(showRetentionSettings(partsOf(operator), person, operator)))
}

const numbers = z.strictObject({
  zone: RetentionSettings.shape.zone.optional(),
  stages: z.coerce.number().pipe(RetentionSettings.shape.stages).optional(),
  waitingDays: z.coerce.number().pipe(RetentionSettings.shape.waitingDays).optional(),
  shorteningDays: z.coerce.number().pipe(RetentionSettings.shape.shorteningDays).optional(),
})

/** What is not given stays. */
export async function changeSettings(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  { storagePrice, ...given }: Given,
): Promise<void> {
  const change = parseOptions(numbers, given, {
    zone: '--zone is a zone of the tz database, such as America/New_York',
    stages: '--stages is a whole number from 1 to 3',
    waitingDays: '--waiting-days is a whole number from 1 to 365',
    shorteningDays: '--shortening-days is a whole number from 30 to 365',
  })
  const price = storagePrice === undefined ? {} : { storagePrice: priceGiven(storagePrice) }
  const parts = partsOf(operator)
  const before = await plainly(showRetentionSettings(parts, person, operator))
  const stated = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  const settings = { ...before, ...stated, ...price }
  saySettings(output, await plainly(changeRetentionSettings(parts, person, settings, operator)))
}

/** `0.02 USD`, or `none`. */
function priceGiven(text: string): StoragePrice | null {
  if (text === 'none') return null
  const [amount, currency] = text.trim().split(/ +/)
  const price = StoragePrice.safeParse({ currency, perGibibyteMonth: amount === '' ? null : Number(amount) })
  if (!price.success)
    throw new UsageError('--storage-price is what a gibibyte costs a month, such as "0.02 USD", or none')
  return price.data
}

function saySettings(output: Output, settings: RetentionSettings): void {
  const { zone, stages, waitingDays, shorteningDays, storagePrice } = settings
  const price =
    storagePrice === null
      ? 'not stated'
      : `${storagePrice.perGibibyteMonth} ${storagePrice.currency} a gibibyte and month`
  const lines = [
    `Calendar:          ${zone}`,
    `Disposition:       looked at by ${stages === 1 ? '1 person' : `${stages} people`}, besides whoever proposed it`,
    `Before deletion:   ${formatCount(waitingDays, 'day')}`,
    `Before shortening: ${formatCount(shorteningDays, 'day')}`,
    `Storage price:     ${price}`,
  ]
  output.value(settings, lines.join('\n'))
}
