// `auricle ls`, `play` and `export`: what a person may hear, through the same use cases as the API, and logged alike.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MailboxId, RecordingId, RecordingQuery, type RecordingView } from '@auricle/contract'
import { can } from '@auricle/identity'
import { createPlayer, isError, listRecordings, type RequestFacts, showRecording } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { codeOf, fileFailure } from '../file-failure.ts'
import { formatBytes, formatCount, formatDuration, formatTime } from '../format.ts'
import { writeNewFile } from '../new-file.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import type { CommandPerson } from '../person.ts'
import { playAloud } from '../play-aloud.ts'
import { startProgress } from '../progress.ts'

const ownerOnlyFolder = 0o700

export async function list(
  operator: Operator,
  output: Output,
  person: CommandPerson,
  filter: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const mailbox = await mailboxId(operator, person, filter['mailbox'])
  const given = Object.fromEntries(
    Object.entries({ ...filter, mailbox }).filter(([, value]) => value !== undefined),
  )
  const query = RecordingQuery.safeParse(given)
  if (!query.success) {
    const wrong = query.error.issues.map(({ path }) => filterRules[path.join('.')] ?? 'A filter is wrong')
    throw new UsageError(wrong.join('; '))
  }
  const parts = { ...operator, decide: can }
  const page = await listRecordings(parts, person, query.data, operator)
  if (output.json) {
    output.value(page, '')
    return
  }
  const isFiltered = Object.keys(given).some(name => name !== 'limit')
  const empty = isFiltered ? 'No recordings match' : 'There are no recordings in your mailboxes yet'
  output.rows(page.recordings, columns, empty)
  if (page.nextCursor !== null) output.say(`\nMore: add --cursor ${page.nextCursor}`)
}

const filterRules: Readonly<Record<string, string>> = {
  after: '--after is a time in UTC, such as 2026-11-22T00:00:00Z',
  before: '--before is a time in UTC, such as 2026-11-22T00:00:00Z',
  cursor: '--cursor is what the page before named',
  limit: '--limit is a whole number from 1 to 200',
  number: '--number has at most 64 characters',
}

const columns = [
  { title: 'recording', cell: (row: RecordingView) => row.id },
  { title: 'started', cell: (row: RecordingView) => formatTime(new Date(row.startedAt)) },
  { title: 'kind', cell: (row: RecordingView) => row.kind },
  { title: 'mailbox', cell: (row: RecordingView) => row.mailbox?.address ?? '-' },
  { title: 'from', cell: (row: RecordingView) => [row.from, row.fromName].filter(Boolean).join(' ') || '-' },
  { title: 'length', align: 'right' as const, cell: (row: RecordingView) => formatDuration(row.durationMs) },
  { title: 'heard', cell: (row: RecordingView) => (row.heardAt === null ? 'no' : 'yes') },
]

async function mailboxId(operator: Operator, { actor }: RequestFacts, text: string | undefined) {
  if (text === undefined || MailboxId.safeParse(text).success) return text
  const mailbox = await operator.catalog.findMailboxByAddress(actor.tenantId, text, operator)
  if (mailbox === null) throw new UsageError(`There is no mailbox "${text}"`)
  return mailbox.id
}

function parseId(text: string): RecordingId {
  const id = RecordingId.safeParse(text)
  if (!id.success) throw new UsageError(`"${text}" is not a recording's id; \`auricle ls\` shows them`)
  return id.data
}

interface Wanted {
  readonly id: string
  readonly original: boolean
}

async function open(operator: Operator, person: CommandPerson, wanted: Wanted, purpose: 'play' | 'export') {
  const player = createPlayer({ ...operator, decide: can })
  const { actor, secretHash, ...origin } = person
  const role = wanted.original ? 'original' : 'playback'
  const request = {
    ...origin,
    bearer: { ...actor, secretHash },
    recordingId: parseId(wanted.id),
    role,
    purpose,
  } as const
  const playback = await player.open(request, operator).catch(async (error: unknown) => {
    await player[Symbol.asyncDispose]()
    const plain = isError(error, 'VaultError', 'not_found') || isError(error, 'VaultError', 'denied')
    throw plain && error instanceof Error ? new UsageError(error.message, { cause: error }) : error
  })
  const stream = playback.follow()
  const signal = AbortSignal.any([operator.signal, stream.signal])
  async function* read() {
    let at = 0
    for await (const piece of playback.read(null, { signal })) {
      stream.sent({ start: at, end: at + piece.length })
      at += piece.length
      yield piece
      // Asked again: all of a small recording was read before anybody could say no.
      signal.throwIfAborted()
      stream.advance()
    }
  }
  return {
    playback,
    signal,
    read,
    async [Symbol.asyncDispose]() {
      stream[Symbol.dispose]()
      await player[Symbol.asyncDispose]()
    },
  }
}

/** To a file, to a pipe, or aloud where standard output is a terminal. */
export async function play(
  operator: Operator,
  output: Output,
  person: CommandPerson,
  wanted: Wanted & { readonly output: string | undefined },
): Promise<void> {
  const { output: file } = wanted
  await using opened = await open(operator, person, wanted, file === undefined ? 'play' : 'export')
  const { signal } = opened
  const pieces = opened.read()
  if (file !== undefined) {
    const bytes = await writeNewFile(file, pieces, { signal })
    output.value(
      { id: wanted.id, file, bytes },
      `Wrote ${file}, ${formatBytes(bytes)}: clear audio, guard it`,
    )
    return
  }
  const audio = Readable.from(pieces, { objectMode: false })
  if (process.stdout.isTTY === true) return playAloud(audio, { signal })
  await pipeline(audio, process.stdout, { signal, end: false }).catch((error: unknown) => {
    // Whoever reads the pipe has read enough.
    if (codeOf(error) !== 'EPIPE') throw error
  })
}

/** Writes `<id>.<ending>` and `<id>.json` for each recording into a folder: clear copies, the caller's to guard. */
export async function exportRecordings(
  operator: Operator,
  output: Output,
  person: CommandPerson,
  asked: { readonly ids: readonly string[]; readonly folder: string; readonly original: boolean },
): Promise<void> {
  const { folder, original } = asked
  const ids = new Set(asked.ids.map(parseId))
  await mkdir(folder, { recursive: true, mode: ownerOnlyFolder }).catch((error: unknown) => {
    throw fileFailure(error, folder)
  })
  const exported: { id: string; file: string; bytes: number }[] = []
  let bytes = 0
  using progress = startProgress('Exporting', 'recordings')
  for (const id of ids) {
    await using opened = await open(operator, person, { id, original }, 'export')
    const { playback } = opened
    const facts = await showRecording({ ...operator, decide: can }, person, id, operator)
    const file = join(folder, `${id}.${endingOf(playback.contentType)}`)
    const json = Buffer.from(`${JSON.stringify(facts, null, 2)}\n`)
    bytes += await writeNewFile(file, opened.read(), opened)
    await writeNewFile(join(folder, `${id}.json`), [json], operator)
    exported.push({ id, file, bytes: playback.sizeBytes })
    progress.update({ items: exported.length, bytes })
  }
  progress[Symbol.dispose]()
  const count = formatCount(exported.length, 'recording')
  output.value(exported, `Exported ${count}, ${formatBytes(bytes)}, to ${folder}: clear audio, guard it`)
}

function endingOf(contentType: string): string {
  const endings: Readonly<Record<string, string>> = {
    'audio/mpeg': 'mp3',
    'audio/wav': 'wav',
    'audio/ogg': 'ogg',
  }
  return endings[contentType] ?? 'audio'
}
