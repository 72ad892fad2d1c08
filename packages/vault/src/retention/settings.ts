// The calendar years are counted by, how many look at a disposition, how long each step waits: shown and changed.
import type { Catalog } from '@auricle/catalog'
import type { RetentionSettings } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { type AuthorizeParts, authorize } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading, named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'

export interface RetentionSettingsParts extends AuthorizeParts {
  readonly catalog: Pick<Catalog, 'findRetentionSettings' | 'changeRetentionSettings'>
}

export async function showRetentionSettings(
  parts: RetentionSettingsParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<RetentionSettings> {
  const { tenantId } = facts.actor
  const object = named('tenant', tenantId)
  await authorizeReading(parts, facts, { action: 'rule.read', log: 'retention.listed', object }, options)
  const found = await parts.catalog.findRetentionSettings(tenantId, options)
  if (found === null) throw new VaultError('not_found', 'No such tenant')
  const { revision: _, ...settings } = found
  return settings
}

/** All of them at once; the event names those that are not what they were. */
export async function changeRetentionSettings(
  parts: RetentionSettingsParts,
  facts: RequestFacts,
  settings: RetentionSettings,
  options: CallOptions,
): Promise<RetentionSettings> {
  const { tenantId } = facts.actor
  const object = named('tenant', tenantId)
  const asked = { action: 'retention.manage', log: 'retention.settings_changed', object } as const
  const { record } = await authorize(parts, facts, asked, options)
  const before = await parts.catalog.changeRetentionSettings(
    tenantId,
    settings,
    found => record(object, changesOf(found, settings)),
    options,
  )
  if (before === null) throw new VaultError('not_found', 'No such tenant')
  return settings
}

const words = {
  zone: 'zone',
  stages: 'stages',
  waitingDays: 'waiting_days',
  shorteningDays: 'shortening_days',
  storagePrice: 'storage_price',
} as const satisfies Record<keyof RetentionSettings, string>

function changesOf(before: RetentionSettings, after: RetentionSettings): string[] {
  const isKey = (key: string): key is keyof RetentionSettings => Object.hasOwn(words, key)
  return Object.keys(words)
    .filter(isKey)
    .filter(key => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map(key => words[key])
}
