// `auricle ls`, `play` and `export`: what a person may hear, through the same use cases as the API, and logged alike.
import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MailboxId, RecordingId, RecordingQuery, type RecordingView } from '@auricle/contract'
import { can } from '@auricle/identity'
import { createPlayer, isError, listRecordings, type RequestFacts, showRecording } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { formatDuration, formatTime } from '../format.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'
import { playAloud } from '../play-aloud.ts'
import { startProgress } from '../progress.ts'

const ownerOnlyFile = 0o600

export async function list(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  filter: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const mailbox = await mailboxId(operator, person, filter['mailbox'])
  const given = Object.fromEntries(
    Object.entries({ ...filter, mailbox }).filter(([, value]) => value !== undefined),
  )
  const query = RecordingQuery.safeParse(given)
  if (!query.success) {
    const wrong = query.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('; ')
    throw new UsageError(wrong)
  }
  const parts = { ...operator, decide: can }
  const page = await listRecordings(parts, person, query.data, operator)
  if (output.json) {
    output.value(page, '')
    return
  }
  output.rows(page.recordings, columns, 'No recordings match')
  if (page.nextCursor !== null) output.say(`\nMore: add --cursor ${page.nextCursor}`)
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

async function open(operator: Operator, person: RequestFacts, wanted: Wanted, purpose: 'play' | 'export') {
  const player = createPlayer({ ...operator, decide: can })
  const { actor, ...origin } = person
  const role = wanted.original ? 'original' : 'playback'
  const request = { ...origin, bearer: actor, recordingId: parseId(wanted.id), role, purpose } as const
  const playback = await player.open(request, operator).catch((error: unknown) => {
    player[Symbol.dispose]()
    const plain = isError(error, 'VaultError', 'not_found') || isError(error, 'VaultError', 'denied')
    throw plain && error instanceof Error ? new UsageError(error.message, { cause: error }) : error
  })
  return { playback, [Symbol.dispose]: () => player[Symbol.dispose]() }
}

/** To a file, to a pipe, or aloud where standard output is a terminal. */
export async function play(
  operator: Operator,
  person: RequestFacts,
  wanted: Wanted & { readonly output: string | undefined },
): Promise<void> {
  const aloud = wanted.output === undefined && process.stdout.isTTY === true
  using opened = await open(operator, person, wanted, wanted.output === undefined ? 'play' : 'export')
  const audio = Readable.from(opened.playback.read(null, operator), { objectMode: false })
  if (aloud) return playAloud(audio, operator)
  const target =
    wanted.output === undefined
      ? process.stdout
      : createWriteStream(wanted.output, { mode: ownerOnlyFile, flags: 'wx' })
  await pipeline(audio, target, { signal: operator.signal, end: wanted.output !== undefined })
}

/** Writes `<id>.<ending>` and `<id>.json` for each recording into a folder: clear copies, the caller's to guard. */
export async function exportRecordings(
  operator: Operator,
  output: Output,
  person: RequestFacts,
  asked: { readonly ids: readonly string[]; readonly folder: string; readonly original: boolean },
): Promise<void> {
  await mkdir(asked.folder, { recursive: true, mode: 0o700 })
  const exported: { id: string; file: string; bytes: number }[] = []
  let bytes = 0
  using progress = startProgress('Exporting', 'recordings')
  for (const id of asked.ids) {
    using opened = await open(operator, person, { id, original: asked.original }, 'export')
    const { playback } = opened
    const facts = await showRecording({ ...operator, decide: can }, person, parseId(id), operator)
    const file = join(asked.folder, `${id}.${endingOf(playback.contentType)}`)
    const audio = Readable.from(playback.read(null, operator), { objectMode: false })
    await pipeline(audio, createWriteStream(file, { mode: ownerOnlyFile, flags: 'wx' }), {
      signal: operator.signal,
    })
    const json = `${JSON.stringify(facts, null, 2)}\n`
    await writeFile(join(asked.folder, `${id}.json`), json, { mode: ownerOnlyFile, flag: 'wx' })
    bytes += playback.sizeBytes
    exported.push({ id, file, bytes: playback.sizeBytes })
    progress.update({ items: exported.length, bytes })
  }
  progress[Symbol.dispose]()
  output.value(exported, `Exported ${exported.length} recordings to ${asked.folder}: clear audio, guard it`)
}

function endingOf(contentType: string): string {
  const endings: Readonly<Record<string, string>> = {
    'audio/mpeg': 'mp3',
    'audio/wav': 'wav',
    'audio/ogg': 'ogg',
  }
  return endings[contentType] ?? 'audio'
}
