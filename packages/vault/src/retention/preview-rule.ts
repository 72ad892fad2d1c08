// What a change of a rule would do to what is there: every recording decided by the rules of now and by those that would
// be, page by page. Nothing is written but the event that somebody looked.
import type { Catalog, WeighedFacts } from '@auricle/catalog'
import {
  type NewRetentionPreview,
  newRuleId,
  type RecordingId,
  type RetentionPreview,
  type TenantId,
} from '@auricle/contract'
import { compareDefinitions, decide, type RetentionDecision, type RuleInForce } from '@auricle/retention'
import type { CallOptions } from '@auricle/sealed'
import type { AuthorizeParts } from '../authorize.ts'
import { VaultError } from '../error.ts'
import { authorizeReading } from '../people/reading.ts'
import type { RequestFacts } from '../request-facts.ts'
import { loadPolicy } from './policy.ts'
import { ruleObject } from './rule-versions.ts'

export interface PreviewParts extends AuthorizeParts {
  readonly catalog: Pick<
    Catalog,
    'findRetentionSettings' | 'listRuleVersions' | 'listRetentionFacts' | 'countRetained'
  >
  /** How many recordings were looked at, of how many. Default: nobody is told. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

const pageRecordings = 500
const examplesMost = 20

/** Throws `not_found` for a rule that is not there. Abort means: no further page is read. */
export async function previewRule(
  parts: PreviewParts,
  facts: RequestFacts,
  { rule, definition }: NewRetentionPreview,
  options: CallOptions,
): Promise<RetentionPreview> {
  const { tenantId } = facts.actor
  const object = rule === null ? null : ruleObject(rule)
  const asked = { action: 'retention.read', log: 'retention.previewed', object } as const
  const { now, secrets } = await authorizeReading(parts, facts, asked, options)
  const versions = await parts.catalog.listRuleVersions(tenantId, options)
  if (rule !== null && !versions.some(({ ruleId }) => ruleId === rule))
    throw new VaultError('not_found', 'There is no such rule')
  const policy = await loadPolicy(parts.catalog, tenantId, now, options)
  const replaced = policy.rules.find(({ ruleId }) => ruleId === rule)
  const proposed: readonly RuleInForce[] =
    definition === null
      ? []
      : [
          {
            ruleId: rule ?? newRuleId(),
            version: (replaced?.version ?? 0) + 1,
            ...{ name: replaced?.name ?? 'as proposed', definition },
          },
        ]
  const rules = [...policy.rules.filter(({ ruleId }) => ruleId !== rule), ...proposed]
  const counting = createCounting(now)
  const total = await parts.catalog.countRetained(tenantId, options)
  for await (const page of pagesOf(parts, tenantId, secrets.columns, options)) {
    for (const known of page) {
      const before = decide(known, policy.rules, policy)
      const after = decide(known, rules, policy)
      // What would be without what stores have locked already.
      const free = known.lockedUntil === null ? after : decide({ ...known, lockedUntil: null }, rules, policy)
      counting.add(known, before, after, free)
    }
    parts.onProgress?.(counting.done(), total)
  }
  return { effect: compareDefinitions(replaced?.definition ?? null, definition), ...counting.result() }
}

async function* pagesOf(
  { catalog }: PreviewParts,
  tenantId: TenantId,
  columns: Parameters<Catalog['listRetentionFacts']>[2],
  options: CallOptions,
): AsyncGenerator<readonly WeighedFacts[]> {
  let afterId: RecordingId | null = null
  for (;;) {
    const page: readonly WeighedFacts[] = await catalog.listRetentionFacts(
      tenantId,
      { afterId, limit: pageRecordings },
      columns,
      options,
    )
    afterId = page.at(-1)?.recordingId ?? null
    if (afterId === null) return
    yield page
  }
}

const counted = [
  ...(['all', 'unchanged', 'longer', 'shorter', 'locked', 'dueSooner', 'dueLater'] as const),
  ...(['dueAtOnce', 'undecided', 'held'] as const),
] as const
type Counted = (typeof counted)[number]

/** Holds sums and twenty examples, however many are added. */
function createCounting(now: Date) {
  const sums = Object.fromEntries(counted.map(name => [name, { recordings: 0, bytes: 0 }])) as Record<
    Counted,
    { recordings: number; bytes: number }
  >
  const examples: { readonly id: RecordingId; readonly dueMs: number }[] = []
  let firstDueMs = Number.POSITIVE_INFINITY

  function exemplify(id: RecordingId, dueMs: number): void {
    const at = examples.findIndex(other => dueMs < other.dueMs)
    if (at < 0 && examples.length === examplesMost) return
    examples.splice(at < 0 ? examples.length : at, 0, { id, dueMs })
    examples.length = Math.min(examples.length, examplesMost)
  }

  return {
    done: () => sums.all.recordings,

    add(
      { recordingId, bytes, holdIds }: WeighedFacts,
      before: RetentionDecision,
      after: RetentionDecision,
      free: RetentionDecision,
    ): void {
      const dueMs = dueMsOf(after)
      const isLocked = free.keepUntil < before.keepUntil && free.keepUntil < after.keepUntil
      const isChanged =
        isLocked ||
        after.keepUntil.getTime() !== before.keepUntil.getTime() ||
        dueMs !== dueMsOf(before) ||
        after.status !== before.status ||
        after.disposal !== before.disposal ||
        after.locked !== before.locked
      const says: Readonly<Record<Counted, boolean>> = {
        all: true,
        unchanged: !isChanged,
        longer: after.keepUntil > before.keepUntil,
        shorter: after.keepUntil < before.keepUntil,
        locked: isLocked,
        dueSooner: dueMs < dueMsOf(before),
        dueLater: dueMs > dueMsOf(before),
        dueAtOnce: dueMs < dueMsOf(before) && dueMs <= now.getTime(),
        undecided: isChanged && after.status === 'undecided',
        held: isChanged && holdIds.length > 0,
      }
      for (const name of counted) {
        if (!says[name]) continue
        sums[name].recordings += 1
        sums[name].bytes += bytes
      }
      if (says.dueSooner) firstDueMs = Math.min(firstDueMs, dueMs)
      if (isChanged) exemplify(recordingId, dueMs)
    },

    result(): Omit<RetentionPreview, 'effect'> {
      return {
        ...sums,
        firstDueAt: Number.isFinite(firstDueMs) ? new Date(firstDueMs).toISOString() : null,
        examples: examples.map(({ id }) => id),
      }
    },
  }
}

/** What is not due comes after all that is. */
const dueMsOf = ({ dueAt }: RetentionDecision): number => dueAt?.getTime() ?? Number.POSITIVE_INFINITY
