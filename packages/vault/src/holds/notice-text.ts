// What a custodian is told, as a text to be read as it is: what is asked of them, and what that means in practice.
import type { HoldId } from '@auricle/contract'

export interface NoticeFacts {
  readonly hold: HoldId
  /** Whose recordings these are. */
  readonly practice: string
  /** In the words of whoever placed the hold; null where they added none. */
  readonly notice: string | null
  readonly toldAt: Date
  readonly acknowledgedAt: Date | null
  readonly releasedAt: Date | null
}

const lineMost = 78
const day = (time: Date): string => time.toISOString().slice(0, 10)

const asked = `You may have something that belongs to this matter. Keep it, as it is, until you are told that the hold is over.`

const means = [
  'Keep everything that may belong to it: recordings, messages, letters, notes and files, on paper or in a device, at work and at home, also copies and drafts.',
  'Delete, change, overwrite or throw away none of it, also where a schedule or a habit of yours would have you do so.',
  'The recordings in the vault are kept by the vault. What you have elsewhere is in your hands.',
  'Where you are not sure whether something belongs to it, keep it and ask the compliance officer.',
]

export function noticeText(facts: NoticeFacts): string {
  const { hold, practice, notice, toldAt, acknowledgedAt, releasedAt } = facts
  const head = [
    releasedAt === null ? 'LEGAL HOLD: DO NOT DESTROY' : 'LEGAL HOLD: OVER',
    '',
    `Practice:  ${practice}`,
    `Hold:      ${hold}`,
    `Told on:   ${day(toldAt)}`,
  ]
  if (releasedAt !== null) {
    const end = `This hold ended on ${day(releasedAt)}. You have to keep nothing for it any more; another hold, a rule or a law may still ask you to.`
    return lines([...head, '', ...wrapped(end)])
  }
  const read =
    acknowledgedAt === null
      ? `Say that you have read this:\n\n    auricle hold acknowledge ${hold}`
      : `You said on ${day(acknowledgedAt)} that you have read this.`
  return lines([
    ...head,
    '',
    ...wrapped(asked),
    ...(notice === null ? [] : ['', ...notice.split(/\r?\n/).flatMap(line => wrapped(line))]),
    '',
    'What this means',
    '',
    ...means.flatMap(item => wrapped(item, '- ', '  ')),
    '',
    read,
  ])
}

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`

/** Broken at spaces; a word that is too long stands on a line of its own. Nothing in it moves a terminal's cursor or turns its lines around. */
function wrapped(text: string, first = '', others = ''): readonly string[] {
  const words = text
    .replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, ' ')
    .split(' ')
    .filter(word => word !== '')
  const made: string[] = []
  let line = first
  for (const word of words) {
    const isStart = line === first || line === others
    if (!isStart && line.length + 1 + word.length > lineMost) {
      made.push(line)
      line = others + word
    } else line += isStart ? word : ` ${word}`
  }
  return [...made, line.trimEnd()]
}
