// Legal holds placed, extended and released: each change and its event in one transaction. A release starts nothing: what
// may be destroyed then has to be proposed anew.
import type { Catalog, Covered, HoldAdditions } from '@auricle/catalog'
import {
  type HoldChange,
  type HoldClause,
  type HoldId,
  type HoldRelease,
  type HoldView,
  type NewHold,
  newHoldId,
  type RecordingId,
  type UserId,
} from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'
import { appendAccess } from '../access-event.ts'
import { type Authorized, type AuthorizeParts, authorize } from '../authorize.ts'
import { isError, VaultError } from '../error.ts'
import { named } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import { type HoldWords, holdEvent } from './hold-event.ts'
import { clausesOf, patientsOf } from './scope.ts'
import { holdChange, holdView } from './view.ts'

export interface HoldParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    | 'ensurePatient'
    | 'findPatient'
    | 'findPatientReference'
    | 'placeHold'
    | 'extendHold'
    | 'releaseHold'
    | 'releaseCover'
    | 'acknowledgeNotice'
    | 'listHolds'
    | 'findHold'
    | 'listHeld'
    | 'previewHold'
    | 'listNotices'
    | 'findTenant'
    | 'listUsers'
  >
}

/** What a hold gets more of. */
export interface HoldExtension {
  readonly clauses?: readonly HoldClause[]
  readonly recordings?: readonly RecordingId[]
  readonly custodians?: readonly UserId[]
}

const over = 'This hold was released before'
export const noHold = 'There is no such hold'

/** Throws `not_found` where a recording, mailbox, patient or person is not the tenant's: then nothing is held. */
export async function placeHold(
  parts: HoldParts,
  facts: RequestFacts,
  { matter, notice, ...wanted }: NewHold,
  options: CallOptions,
): Promise<HoldChange> {
  const asked = { action: 'hold.manage', log: 'hold.placed', object: null } as const
  const yes = await authorize(parts, facts, asked, options)
  const id = newHoldId()
  const covered = await naming(parts, facts, yes, { log: 'hold.placed', id: null }, options, async () => {
    const additions = await additionsOf(parts, facts, yes, id, wanted, options)
    const words = { matter, asked: JSON.stringify(wanted) }
    return parts.catalog.placeHold(
      { ...additions, matter, notice },
      yes.secrets.columns,
      eventOf(facts, yes, 'hold.placed', additions, words),
      options,
    )
  })
  return holdChange(await find(parts, facts, yes, id, options), covered)
}

/** Throws `not_found` as `placeHold` does, `conflict` where the hold is over. */
export async function extendHold(
  parts: HoldParts,
  facts: RequestFacts,
  id: HoldId,
  extension: HoldExtension,
  options: CallOptions,
): Promise<HoldChange> {
  const asked = { action: 'hold.manage', log: 'hold.extended', object: named('hold', id) } as const
  const yes = await authorize(parts, facts, asked, options)
  const hold = await find(parts, facts, yes, id, options)
  const covered = await naming(parts, facts, yes, { log: 'hold.extended', id }, options, async () => {
    const additions = await additionsOf(parts, facts, yes, id, extension, options)
    const words = { matter: hold.matter, asked: JSON.stringify(extension) }
    return parts.catalog.extendHold(
      additions,
      yes.secrets.columns,
      eventOf(facts, yes, 'hold.extended', additions, words),
      options,
    )
  })
  if (covered === null) throw new VaultError('conflict', over)
  return holdChange(await find(parts, facts, yes, id, options), covered)
}

/** Of one recording; others that it is under stay. It does not come back by the clauses that the hold has by then. */
export async function releaseCover(
  parts: HoldParts,
  facts: RequestFacts,
  { id, recordingId }: { readonly id: HoldId; readonly recordingId: RecordingId },
  { reason }: HoldRelease,
  options: CallOptions,
): Promise<void> {
  const log = 'hold.cover_released'
  const asked = { action: 'hold.manage', log, object: named('hold', id, recordingId) } as const
  const yes = await authorize(parts, facts, asked, options)
  const { matter, release } = await find(parts, facts, yes, id, options)
  if (release !== null) throw new VaultError('conflict', over)
  const { tenantId, userId: by } = facts.actor
  const event = await holdEvent(facts, yes, { log, id, version: recordingId }, { matter, reason })
  const cover = { tenantId, id, recordingId, by, at: yes.now }
  if (await parts.catalog.releaseCover(cover, event, options)) return
  throw new VaultError('conflict', 'The hold does not cover this recording, or does no longer')
}

export async function releaseHold(
  parts: HoldParts,
  facts: RequestFacts,
  id: HoldId,
  { reason }: HoldRelease,
  options: CallOptions,
): Promise<HoldView> {
  const log = 'hold.released'
  const asked = { action: 'hold.manage', log, object: named('hold', id) } as const
  const yes = await authorize(parts, facts, asked, options)
  const { matter } = await find(parts, facts, yes, id, options)
  const { tenantId, userId: by } = facts.actor
  const released = await parts.catalog.releaseHold(
    { tenantId, id, by, at: yes.now, reason },
    yes.secrets.columns,
    recordings => holdEvent(facts, yes, { log, id, recordings }, { matter, reason }),
    options,
  )
  if (released === null) throw new VaultError('conflict', over)
  return holdView(await find(parts, facts, yes, id, options))
}

async function additionsOf(
  { catalog }: HoldParts,
  { actor: { tenantId, userId: by } }: RequestFacts,
  { now: at, secrets }: Authorized,
  id: HoldId,
  { clauses = [], recordings = [], custodians = [] }: HoldExtension,
  options: CallOptions,
): Promise<HoldAdditions> {
  const made = await clausesOf({ catalog, tenantId, secrets }, clauses, options)
  return { tenantId, id, by, at, clauses: made, recordings, custodians }
}

const eventOf =
  (
    facts: RequestFacts,
    yes: Authorized,
    log: 'hold.placed' | 'hold.extended',
    { id, clauses }: HoldAdditions,
    words: HoldWords,
  ) =>
  (recordings: number) =>
    holdEvent(facts, yes, { log, id, recordings, patients: patientsOf(clauses) }, words)

/** Who names what is not there may be trying ids: that is in the log before it is said. */
async function naming<Result extends Covered | null>(
  parts: HoldParts,
  facts: RequestFacts,
  { secrets }: Authorized,
  { log, id }: { readonly log: 'hold.placed' | 'hold.extended'; readonly id: HoldId | null },
  options: CallOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    if (!isError(cause, 'CatalogError', 'not_found') && !isError(cause, 'VaultError', 'not_found'))
      throw cause
    const decision = { allowed: false, reasons: ['not_found'] }
    const object = id === null ? null : named('hold', id)
    await appendAccess({ log: parts.log, secrets }, facts, log, object, decision, options)
    const sentence = 'It names a recording, mailbox, patient or person that is not here; nothing was changed'
    throw new VaultError('not_found', sentence, { cause })
  }
}

async function find(
  { catalog }: HoldParts,
  { actor: { tenantId } }: RequestFacts,
  { secrets }: Authorized,
  id: HoldId,
  options: CallOptions,
) {
  const found = await catalog.findHold(tenantId, id, secrets.columns, options)
  if (found === null) throw new VaultError('not_found', noHold)
  return found
}
