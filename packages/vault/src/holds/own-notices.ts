// The notices of holds that one is a custodian of: read, and acknowledged by oneself alone.
import type { HoldId, OwnNotice, OwnNoticeList } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { appendAccess } from '../access-event.ts'
import { VaultError } from '../error.ts'
import { named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import type { TenantSecrets } from '../tenant-secrets.ts'
import { holdEvent } from './hold-event.ts'
import { type HoldParts, noHold } from './manage-holds.ts'
import { noticeText } from './notice-text.ts'

const own = { allowed: true, reasons: ['own'] }

/** Of holds in force first; also of those that are over, so that who was told to keep learns of the end. */
export async function listOwnNotices(
  parts: HoldParts,
  facts: RequestFacts,
  options: CallOptions,
): Promise<OwnNoticeList> {
  const { tenantId, userId } = facts.actor
  const secrets = await parts.secrets.get(tenantId, options)
  const notices = await read(parts, facts, secrets, options)
  const object = named('user', userId)
  await appendAccess({ log: parts.log, secrets }, facts, 'hold.listed', object, own, options)
  return { notices: [...notices] }
}

/** Throws `not_found` where one is no custodian of it, `conflict` where it is over or was acknowledged before. */
export async function acknowledgeNotice(
  parts: HoldParts,
  facts: RequestFacts,
  id: HoldId,
  options: CallOptions,
): Promise<OwnNotice> {
  const { tenantId, userId } = facts.actor
  const secrets = await parts.secrets.get(tenantId, options)
  const now = parts.now?.() ?? new Date()
  const find = async () => (await read(parts, facts, secrets, options)).find(notice => notice.id === id)
  if ((await find()) === undefined) {
    const decision = { allowed: false, reasons: ['not_found'] }
    const object = named('hold', id)
    await appendAccess({ log: parts.log, secrets }, facts, 'hold.acknowledged', object, decision, options)
    throw new VaultError('not_found', noHold)
  }
  const yes = { now, secrets, decision: own }
  const event = await holdEvent(facts, yes, { log: 'hold.acknowledged', id }, {})
  const isDone = await parts.catalog.acknowledgeNotice({ tenantId, id, userId, at: now }, event, options)
  const notice = await find()
  if (!isDone || notice === undefined)
    throw new VaultError('conflict', 'You said so before, or the hold is over')
  return notice
}

async function read(
  { catalog }: HoldParts,
  { actor: { tenantId, userId } }: RequestFacts,
  secrets: TenantSecrets,
  options: CallOptions,
): Promise<readonly OwnNotice[]> {
  const tenant = await catalog.findTenant(tenantId, options)
  if (tenant === null) throw new VaultError('not_found', 'No such tenant')
  const rows = await catalog.listNotices(tenantId, userId, secrets.columns, options)
  return rows.map(({ id, notice, toldAt, acknowledgedAt, releasedAt }) => ({
    id,
    text: noticeText({ hold: id, practice: tenant.name, notice, toldAt, acknowledgedAt, releasedAt }),
    toldAt: toldAt.toISOString(),
    acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
    releasedAt: releasedAt?.toISOString() ?? null,
  }))
}
