// The figures of the retention report, counted by the model, and the report held against them: as of now, and as of the ends
// of months long gone.
import { retentionReport } from '@auricle/vault'
import { dayMs, type Model, type ModelRecording } from './model.ts'
import { type World, zone } from './world.ts'

/** Lines of figures, each with its count; made of recordings and bytes alike. */
export type Figures = ReadonlyMap<string, string>

export interface Remembered {
  readonly at: number
  readonly figures: Figures
}

interface Amount {
  recordings: number
  bytes: number
}

const monthOf = (at: number) =>
  new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit' }).format(at)

export function figuresOf(model: Model, at: number): Figures {
  const amounts = new Map<string, Amount>()
  const add = (line: string, { bytes }: Pick<ModelRecording, 'bytes'>) => {
    const amount = amounts.get(line) ?? { recordings: 0, bytes: 0 }
    amount.recordings += 1
    amount.bytes += bytes
    amounts.set(line, amount)
  }
  for (const recording of model.inOrder) {
    if (recording.destroyedAt !== null) {
      add('destroyed', recording)
      if (at - recording.destroyedAt < 300 * dayMs)
        add(`destroyed in ${monthOf(recording.destroyedAt)}`, recording)
      continue
    }
    const said = recording.said ?? model.ask(recording, at)
    const isHeld = model.isHeld(recording)
    add('all', recording)
    add(`kind ${recording.kind}`, recording)
    add(`mailbox ${recording.mailbox}`, recording)
    add(`rule ${said.governing}`, recording)
    add(`state ${model.stateOf(recording, at)}`, recording)
    for (const [id, { active }] of recording.covers) if (active) add(`hold ${id}`, recording)
    const reason = overdue(recording, isHeld, said, at)
    if (reason !== null) add(`overdue ${reason}`, recording)
  }
  return new Map([...amounts].map(([line, amount]) => [line, written(line, amount)]))
}

function overdue(
  { item }: ModelRecording,
  isHeld: boolean,
  said: ReturnType<Model['ask']>,
  at: number,
): string | null {
  const isUndecided = said.status === 'undecided' && said.keepUntil <= at
  if (!isUndecided && (said.due === null || said.due > at)) return null
  if (isHeld) return 'hold'
  if (isUndecided) return 'undecided'
  if (item === null) return 'unproposed'
  const { state, readyAt } = item.disposition
  if (state === 'proposed') return 'review'
  return readyAt === null || readyAt > at ? 'waiting_period' : 'error'
}

/** The states are told without bytes. */
const written = (line: string, { recordings, bytes }: Amount) =>
  line.startsWith('state ') ? String(recordings) : `${recordings} of ${bytes} bytes`

/** Returns how many figures were compared. */
export async function checkReport(world: World, { at, figures }: Remembered): Promise<number> {
  const { model, people } = world
  const [officer] = people
  if (officer === undefined) throw new RangeError('no people')
  const parts = { ...world.vault, ...world }
  const asOf = new Date(at).toISOString()
  const report = await retentionReport(parts, world.facts(officer), { asOf, limit: 1 }, {})
  const { status, overdue: late, holds, destroyed } = report
  if (status === null || late === null || holds === null || destroyed === null) {
    model.complain(`the report as of ${asOf} lacks sections`)
    return 0
  }
  const found = new Map<string, string>()
  const add = (line: string, amount: Amount) => {
    if (amount.recordings > 0) found.set(line, written(line, amount))
  }
  add('all', status.total)
  for (const [state, recordings] of Object.entries(status.total.states))
    add(`state ${state}`, { recordings, bytes: 0 })
  for (const line of status.kinds) add(`kind ${line.kind}`, line)
  for (const line of status.mailboxes) add(`mailbox ${line.mailbox?.id}`, line)
  for (const line of status.rules)
    add(`rule ${line.rule === null ? null : `${line.rule.id}/${line.rule.version}`}`, line)
  for (const line of holds.holds) add(`hold ${line.hold}`, line)
  for (const line of late.reasons) add(`overdue ${line.reason}`, line)
  add('destroyed', destroyed.total)
  for (const line of destroyed.months) add(`destroyed in ${line.month}`, line)
  for (const [line, figure] of figures) {
    if (found.get(line) !== figure)
      model.complain(
        `the report as of ${asOf} has ${line}: ${found.get(line) ?? 'nothing'}, and not ${figure}`,
      )
  }
  for (const [line, figure] of found) {
    if (!figures.has(line) && !line.startsWith('destroyed in'))
      model.complain(`the report as of ${asOf} has ${line}: ${figure}, and not nothing`)
  }
  return figures.size
}
