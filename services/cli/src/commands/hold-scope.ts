// What a hold is asked to cover, from options and files: one clause by options, many by a file, recordings a line each.
import { readFile } from 'node:fs/promises'
import { HoldClause, MailboxId, RecordingId, UserId } from '@auricle/contract'
import type { RequestFacts } from '@auricle/vault'
import { z } from 'zod'
import { UsageError } from '../error.ts'
import { fileFailure } from '../file-failure.ts'
import type { Operator } from '../operator.ts'
import { parseOptions } from '../plainly.ts'

export interface ScopeOptions {
  readonly mailbox?: string
  readonly patient?: string
  readonly number?: string
  readonly kind?: string
  readonly label?: string
  readonly after?: string
  readonly before?: string
  readonly everything?: boolean
  /** A file with a JSON array of clauses. */
  readonly clauses?: string
  readonly recording?: readonly string[]
  /** A file with an id a line. */
  readonly recordings?: string
}

const time = 'is a time in UTC, such as 2026-11-22T00:00:00Z'
const rules: Readonly<Record<string, string>> = {
  patient: "--patient is the PBX's reference, of at most 256 characters",
  number: '--number has digits, and at most 64 characters',
  after: `--after ${time}`,
  before: `--before ${time}`,
  '': 'A clause says something, and --everything goes without the rest; --before is later than --after',
}

export async function scopeOf(
  operator: Operator,
  person: RequestFacts,
  { clauses: clauseFile, recording = [], recordings: recordingFile, ...said }: ScopeOptions,
) {
  const ofOptions = Object.values(said).some(value => value !== undefined)
    ? [parseOptions(HoldClause, { ...said, mailbox: await mailboxId(operator, person, said.mailbox) }, rules)]
    : []
  const clauses = [
    ...ofOptions,
    ...(clauseFile === undefined ? [] : await clausesIn(operator, person, clauseFile)),
  ]
  const recordings = [...recording, ...(recordingFile === undefined ? [] : await linesOf(recordingFile))]
  const wrong = recordings.find(id => !RecordingId.safeParse(id).success)
  if (wrong !== undefined)
    throw new UsageError(`"${wrong}" is not a recording's id; \`auricle ls\` shows them`)
  return { clauses, recordings: recordings.map(id => RecordingId.parse(id)) }
}

/** Of people of the tenant, by login or id. */
export async function custodianIds(
  { catalog, signal }: Operator,
  { actor: { tenantId } }: RequestFacts,
  logins: readonly string[],
): Promise<readonly UserId[]> {
  const ids: UserId[] = []
  for (const login of logins) {
    const id = UserId.safeParse(login)
    const user = id.success ? null : await catalog.findUserByLogin(tenantId, login, { signal })
    if (!id.success && user === null) throw new UsageError(`There is nobody called "${login}" here`)
    ids.push(id.success ? id.data : UserId.parse(user?.id))
  }
  return ids
}

async function clausesIn(
  operator: Operator,
  person: RequestFacts,
  file: string,
): Promise<readonly HoldClause[]> {
  const text = await textOf(file)
  const Clauses = z.array(z.looseObject({ mailbox: z.string().optional() }))
  const given = Clauses.safeParse(jsonOrNull(text))
  if (!given.success) throw new UsageError(`${file} holds no JSON array of clauses; see docs/holds.md`)
  const clauses: HoldClause[] = []
  for (const [index, clause] of given.data.entries()) {
    const mailbox = await mailboxId(operator, person, clause.mailbox)
    const parsed = HoldClause.safeParse({ ...clause, ...(mailbox === undefined ? {} : { mailbox }) })
    if (!parsed.success)
      throw new UsageError(`Clause ${index + 1} in ${file}: ${z.prettifyError(parsed.error)}`)
    clauses.push(parsed.data)
  }
  return clauses
}

/** By address, as people know it; an id as it is. */
async function mailboxId(
  { catalog, signal }: Operator,
  { actor: { tenantId } }: RequestFacts,
  text: string | undefined,
): Promise<string | undefined> {
  if (text === undefined || MailboxId.safeParse(text).success) return text
  const mailbox = await catalog.findMailboxByAddress(tenantId, text, { signal })
  if (mailbox === null) throw new UsageError(`There is no mailbox with the address "${text}"`)
  return mailbox.id
}

export async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw fileFailure(error, file)
  }
}

const linesOf = async (file: string): Promise<readonly string[]> =>
  (await textOf(file))
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '')

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
