// `auricle retention explain` and `preview`: how one recording stands, and what a change of a rule would do.
import { RecordingId, type RetentionPreview } from '@auricle/contract'
import { can } from '@auricle/identity'
import { explainRecording, previewRule, type RequestFacts } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatBytes, formatCount, formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { plainly } from '../plainly.ts'
import { startProgress } from '../progress.ts'
import type { Column } from '../table.ts'
import { definitionOfFile, ruleNamed } from './retention-rules.ts'

export async function explainOne(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  text: string,
): Promise<void> {
  const id = RecordingId.safeParse(text)
  if (!id.success) throw new UsageError(`"${text}" is not a recording's id; \`auricle ls\` shows them`)
  const told = await plainly(explainRecording({ ...operator, decide: can }, person, id.data, operator))
  output.value(told, told.words.join('\n'))
}

export interface PreviewOptions {
  /** Name or id of the rule that would change; none: a new one. */
  readonly rule?: string | undefined
  /** The rule would end. */
  readonly end?: boolean | undefined
}

export async function previewChange(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  file: string | undefined,
  { rule: name, end = false }: PreviewOptions,
): Promise<void> {
  if (end ? name === undefined || file !== undefined : file === undefined)
    throw new UsageError('Say what the rule would be: a file; or which would end: --rule and --end')
  const definition = file === undefined ? null : await definitionOfFile(file)
  const rule = name === undefined ? null : await ruleNamed(operator, person, name)
  using progress = startProgress('Deciding', 'recordings')
  const onProgress = (items: number, total: number) => progress.update({ items, total })
  const parts = { ...operator, decide: can, onProgress }
  const preview = await plainly(previewRule(parts, person, { rule, definition }, operator))
  progress[Symbol.dispose]()
  if (output.json) return output.value(preview, '')
  const { all, unchanged, effect, firstDueAt, examples } = preview
  output.say(`${effectWords[effect]}\n`)
  output.rows(
    counts.map(([name, title]) => ({ title, ...preview[name] })),
    columns,
    '',
  )
  output.say(
    `\nOf ${formatCount(all.recordings, 'recording')}, ${unchanged.recordings.toLocaleString('en')} stay as they are`,
  )
  if (firstDueAt !== null) output.say(`The first would be due at ${formatTime(new Date(firstDueAt))}`)
  if (examples.length > 0) output.say(`Such as ${examples.join(', ')}`)
}

const effectWords = {
  lengthens: 'It lengthens: one person may decide it, at once',
  shortens: 'It shortens, or lets recordings go: it takes two people, and thirty days',
  same: 'It changes nothing of what is kept: one person may decide it, at once',
} as const satisfies Record<RetentionPreview['effect'], string>

const counts = [
  ['longer', 'kept longer'],
  ['shorter', 'kept for less'],
  ['locked', 'locked: cannot be kept for less'],
  ['dueSooner', 'due sooner, or due at all'],
  ['dueLater', 'due later, or no more'],
  ['dueAtOnce', 'due at once'],
  ['undecided', 'changed, but undecided: not due'],
  ['held', 'changed, but held: not due'],
] as const

interface Line {
  readonly title: string
  readonly recordings: number
  readonly bytes: number
}

const columns: readonly Column<Line>[] = [
  { title: 'what would change', cell: ({ title }) => title },
  { title: 'recordings', align: 'right', cell: ({ recordings }) => recordings.toLocaleString('en') },
  { title: 'size', align: 'right', cell: ({ bytes }) => formatBytes(bytes) },
]
