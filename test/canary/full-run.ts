// Everything the product does, and much that it refuses or fails at, with marked calls and marked secrets.
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Receipt, RecordingPage, Session } from '@auricle/contract'
import { totpCode } from '@auricle/identity'
import type { HostedAudio } from '../harness/audio-host.ts'
import type { Clinic } from '../harness/clinic.ts'
import { deliver, type Handover, type Way } from '../harness/delivery.ts'
import { type Answer, type Sending, send } from '../harness/http-client.ts'
import type { Sample } from '../harness/samples.ts'
import type { Stack } from '../harness/stack.ts'
import type { Verdict } from '../harness/verdict.ts'
import { type MarkedCall, markCall } from './caller.ts'
import { type Marker, markerOf, textMarker } from './marker.ts'

const timeoutMs = 60_000
const archiveMostMs = 180_000
const pollMs = 100
const usualBytes = 300_000
const largeBytes = 6_000_000
/** The end of a token is its signature; the parts before it hold ids. */
const signatureCharacters = 40

export interface RunParts {
  readonly stack: Stack
  readonly clinic: Clinic
  readonly samples: readonly Sample[]
  readonly verdict: Verdict
  readonly markers: Marker[]
  /** What the PBX's own web server has, by path. */
  readonly hosted: Map<string, HostedAudio>
  readonly audioOrigin: string
}

export async function runEverything(parts: RunParts): Promise<void> {
  const wave = parts.samples.find(({ file }) => file === 'voicemail-pcm16.wav')
  if (wave === undefined) throw new TypeError('The sample is missing')
  const callOf = (title: string, sizeBytes = usualBytes): MarkedCall => {
    const call = markCall(title, wave, sizeBytes, parts.clinic.mailbox)
    parts.markers.push(...call.markers)
    return call
  }
  const kept = await deliverAllWays(parts, callOf)
  await refuseDeliveries(parts, callOf)
  await quarantine(parts, callOf)
  await archiveAll(parts, 2)
  await signInAndOut(parts)
  await browseAndPlay(parts, kept)
  await refuseRequests(parts, kept)
  await fail(parts, callOf, kept)
  await archiveAll(parts, 2)
}

type CallOf = (title: string, sizeBytes?: number) => MarkedCall

interface Kept {
  readonly call: MarkedCall
  readonly note: string | null
  readonly recording: string
}

function handover(parts: RunParts, way: Way, call: MarkedCall): Handover {
  const { clinic, stack, audioOrigin } = parts
  return {
    ingestUrl: stack.urls.ingest,
    point: way === 'upload' ? clinic.upload : clinic.standard,
    sourceId: call.sourceId,
    facts: call.facts,
    audio: call.audio,
    contentType: 'audio/wav',
    fileName: call.fileName,
    audioUrl: `${audioOrigin}/${call.fileName}`,
    timeoutMs,
  }
}

function expect(parts: RunParts, what: string, answer: Answer | null, status: number): void {
  parts.verdict.check(answer?.status === status, what, `${answer?.status ?? 'no answer'}`)
}

async function deliverAllWays(parts: RunParts, callOf: CallOf): Promise<readonly Kept[]> {
  const kept: Kept[] = []
  for (const way of ['multipart', 'upload', 'url'] as const) {
    const call = callOf(`by ${way}`, way === 'multipart' ? largeBytes : usualBytes)
    parts.hosted.set(`/${call.fileName}`, {
      bytes: call.audio,
      contentType: 'audio/wav',
      firstAnswer: 'cut',
    })
    const answer = await deliver(way, handover(parts, way, call))
    expect(parts, `a delivery by ${way} is taken`, answer, 200)
    expect(parts, '  and again', await deliver(way, handover(parts, way, call)), 200)
    // An upload has no field for a note.
    const note = way === 'upload' ? null : (call.facts.note ?? null)
    kept.push({ call, note, recording: Receipt.parse(JSON.parse(answer.body.toString())).recording })
  }
  return kept
}

async function refuseDeliveries(parts: RunParts, callOf: CallOf): Promise<void> {
  const { stack, clinic } = parts
  for (const way of ['multipart', 'upload', 'url'] as const) {
    const call = callOf(`forged, by ${way}`)
    const answer = await deliver(way, { ...handover(parts, way, call), forged: true })
    expect(parts, `a forged delivery by ${way} is refused`, answer, 401)
  }
  for (const way of ['multipart', 'upload'] as const) {
    const call = callOf(`cut off, by ${way}`, largeBytes)
    const cut = await deliver(way, { ...handover(parts, way, call), cutAt: 0.6 }).catch(() => null)
    parts.verdict.check(cut === null, `a delivery by ${way} is cut off in the middle`)
    const noise = callOf(`not audio, by ${way}`)
    const page = Buffer.from(`<html><body>${noise.facts.note}</body></html>`.repeat(50))
    const answer = await deliver(way, {
      ...handover(parts, way, noise),
      audio: page,
      contentType: 'text/html',
    })
    expect(parts, `what is not audio is refused, by ${way}`, answer, 415)
    const huge = callOf(`too large, by ${way}`, clinicMaxBytes + usualBytes * 8)
    const tooLarge = await deliver(way, handover(parts, way, huge)).catch(() => null)
    parts.verdict.check(
      tooLarge === null || tooLarge.status === 413,
      `a delivery that is too large is refused, by ${way}`,
      String(tooLarge?.status ?? 'connection cut'),
    )
  }
  const odd = callOf('malformed')
  const malformed = { ...odd.facts, from: `${odd.facts.from}\u0000`, direction: 'inbound' as const }
  expect(
    parts,
    'malformed metadata is refused',
    await deliver('multipart', { ...handover(parts, 'multipart', odd), facts: malformed }),
    400,
  )
  const lost = callOf('unknown connector')
  const nobody = { ...clinic.upload, id: 'con_00000000000000000000000000' as typeof clinic.upload.id }
  expect(
    parts,
    'an unknown connector is refused',
    await deliver('upload', { ...handover(parts, 'upload', lost), point: nobody }),
    404,
  )
  const path = textMarker('a path that does not decode')
  parts.markers.push(path)
  const undecodable = await send({
    method: 'PUT',
    url: `${stack.urls.ingest}/v1/ingest/${clinic.upload.id}/%zz${path.text}`,
    headers: { authorization: `Bearer ${clinic.upload.secret}`, 'content-length': '0' },
    body: null,
    timeoutMs,
  })
  parts.verdict.check(
    undecodable.status >= 400 && undecodable.status < 500,
    'a path that does not decode is refused',
    String(undecodable.status),
  )
}

/** What a marked delivery by `upload` or `multipart` may have at most. */
export const clinicMaxBytes = 8_000_000

async function quarantine(parts: RunParts, callOf: CallOf): Promise<void> {
  const page = callOf('a page instead of audio')
  parts.hosted.set(`/${page.fileName}`, {
    bytes: Buffer.from(`<html>${page.facts.note}</html>`),
    contentType: 'text/html',
    firstAnswer: 'whole',
  })
  expect(parts, 'a URL is taken', await deliver('url', handover(parts, 'url', page)), 200)
  const foreign = callOf('a host that is not allowed')
  const answer = await deliver('url', {
    ...handover(parts, 'url', foreign),
    audioUrl: `https://${foreign.fileName.toLowerCase()}.invalid/${foreign.fileName}`,
  })
  expect(parts, 'a URL of another host is taken', answer, 200)
  // Its header is that of a WAV, and nothing follows that could be decoded.
  const broken = callOf('undecodable')
  const noise = Buffer.concat([broken.audio.subarray(0, 40), broken.markers.at(-1)?.bytes ?? Buffer.alloc(0)])
  expect(
    parts,
    'audio that nobody can decode is taken',
    await deliver('upload', { ...handover(parts, 'upload', broken), audio: noise }),
    200,
  )
}

async function archiveAll({ stack, verdict }: RunParts, quarantined: number): Promise<void> {
  const until = performance.now() + archiveMostMs
  for (;;) {
    const { rows } = await stack.superuser.query<{ state: string; count: string }>(
      'select state, count(*) from auricle.intake group by 1',
    )
    const counts = new Map(rows.map(({ state, count }) => [state, Number(count)]))
    const waiting = counts.get('received') ?? 0
    if (waiting === 0 || performance.now() > until) {
      verdict.check(
        waiting === 0 && counts.get('quarantined') === quarantined,
        'everything is archived, and what cannot be is in quarantine',
        `${counts.get('archived')} archived, ${counts.get('quarantined')} in quarantine, ${waiting} waiting`,
      )
      return
    }
    await delay(pollMs)
  }
}

function ask(
  { stack, clinic }: RunParts,
  path: string,
  {
    method = 'GET',
    token = clinic.clinician.token,
    headers = {},
    json,
  }: {
    readonly method?: Sending['method']
    readonly token?: string | null
    readonly headers?: Readonly<Record<string, string>>
    readonly json?: unknown
  } = {},
): Promise<Answer> {
  const body = json === undefined ? null : Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
  return send({
    method,
    url: `${stack.urls.api}${path}`,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) }),
      ...headers,
    },
    body: body === null ? null : once(body),
    timeoutMs,
  })
}

async function* once(bytes: Buffer) {
  yield bytes
}

async function signInAndOut(parts: RunParts): Promise<void> {
  const { clinic, markers } = parts
  const { login, password, totpSecret } = clinic.clinician
  const wrong = textMarker('a wrong password')
  const agent = textMarker('the browser of the person')
  const unknown = textMarker('the login of nobody')
  markers.push(wrong, agent, unknown)
  const headers = { 'user-agent': `Browser ${agent.text}` }
  const signIn = (given: Record<string, string>) =>
    ask(parts, '/v1/sessions', {
      method: 'POST',
      token: null,
      headers,
      json: { tenant: clinic.tenant.slug, login, password, code: totpCode(totpSecret, new Date()), ...given },
    })
  expect(parts, 'a wrong password is refused', await signIn({ password: wrong.text }), 401)
  expect(parts, 'an unknown login is refused', await signIn({ login: unknown.text }), 401)
  const broken = await ask(parts, '/v1/sessions', {
    method: 'POST',
    token: null,
    json: `{"password":"${wrong.text}`,
  })
  expect(parts, 'a broken sign-in is refused', broken, 400)
  const session = await signIn({})
  expect(parts, 'the right password and code sign in', session, 201)
  const { token } = Session.parse(JSON.parse(session.body.toString()))
  markers.push(markerOf('the token of a session', token.slice(-signatureCharacters)))
  expect(parts, 'the session works', await ask(parts, '/v1/me', { token, headers }), 200)
  expect(
    parts,
    'signing out works',
    await ask(parts, '/v1/sessions/current', { method: 'DELETE', token, headers }),
    204,
  )
  expect(parts, 'after it the token is dead', await ask(parts, '/v1/me', { token, headers }), 401)
}

async function browseAndPlay(parts: RunParts, kept: readonly Kept[]): Promise<void> {
  const { verdict } = parts
  const mailboxes = JSON.parse((await ask(parts, '/v1/mailboxes')).body.toString())
  const mailbox: unknown = mailboxes.mailboxes[0]?.id
  for (const filter of [
    '',
    '?kind=voicemail',
    '?heard=false',
    `?mailbox=${mailbox}`,
    '?after=2026-01-01T00:00:00Z&before=2027-01-01T00:00:00Z',
  ]) {
    expect(parts, `the list ${filter} is shown`, await ask(parts, `/v1/recordings${filter}`), 200)
  }
  for (const { call, note, recording } of kept) {
    const found = await ask(parts, `/v1/recordings?number=${encodeURIComponent(call.from)}`)
    const page = RecordingPage.parse(JSON.parse(found.body.toString()))
    verdict.check(
      page.recordings.length === 1 &&
        page.recordings[0]?.id === recording &&
        page.recordings[0].note === note,
      'a number finds its recording, with its name and note',
      `${page.recordings.length} found`,
    )
    const path = `/v1/recordings/${recording}`
    expect(parts, '  shown', await ask(parts, path), 200)
    expect(parts, '  its waveform', await ask(parts, `${path}/peaks`), 200)
    expect(parts, '  played', await ask(parts, `${path}/audio`), 200)
    expect(
      parts,
      '  from the middle',
      await ask(parts, `${path}/audio?role=original`, { headers: { range: 'bytes=20000-90000' } }),
      206,
    )
    const exported = await ask(parts, `${path}/audio?role=original&download=1`)
    verdict.check(
      createHash('sha256').update(exported.body).digest('hex') ===
        createHash('sha256').update(call.audio).digest('hex'),
      '  exported as it was delivered',
      `${exported.status}, ${exported.body.length} bytes`,
    )
    const heard = await ask(parts, path, { method: 'PATCH', json: { heard: true } })
    expect(parts, '  marked as heard', heard, 200)
  }
}

async function refuseRequests(parts: RunParts, kept: readonly Kept[]): Promise<void> {
  const { clinic, markers } = parts
  const [first] = kept
  if (first === undefined) throw new TypeError('Nothing was kept')
  const path = `/v1/recordings/${first.recording}`
  const stranger = await ask(parts, `${path}/audio`, { token: clinic.stranger.token })
  expect(parts, 'who does not own the mailbox hears nothing', stranger, 403)
  const typed = textMarker('something typed into the address')
  markers.push(typed)
  for (const [what, odd, status] of [
    ['an unknown filter', `/v1/recordings?name=${typed.text}`, 400],
    ['a bad cursor', `/v1/recordings?cursor=${typed.text}`, 400],
    ['a bad id', `/v1/recordings/${typed.text}`, 400],
    ['no such path', `/v1/${typed.text}`, 404],
  ] as const) {
    const answer = await ask(parts, odd)
    parts.verdict.check(
      answer.status === status || answer.status === 404,
      `${what} is refused`,
      String(answer.status),
    )
  }
  const range = await ask(parts, `${path}/audio`, { headers: { range: 'bytes=99999999-' } })
  expect(parts, 'a range outside is refused', range, 416)
  const note = textMarker('a note in a bad request')
  markers.push(note)
  const patch = await ask(parts, path, { method: 'PATCH', json: { heard: 'yes', note: note.text } })
  expect(parts, 'a bad change is refused', patch, 400)
  const token = textMarker('a token that is none')
  markers.push(token)
  expect(parts, 'a bad token is refused', await ask(parts, path, { token: token.text }), 401)
}

/** An error in each service: the database away, the process killed in the middle of its work. */
async function fail(parts: RunParts, callOf: CallOf, kept: readonly Kept[]): Promise<void> {
  const { stack, verdict } = parts
  const { postgres, services } = stack
  const { pid } = postgres
  if (pid === null) throw new Error('The server is not running')
  const lost = callOf('while the database is away', largeBytes)
  process.kill(pid, 'SIGKILL')
  const [delivered, listed] = await Promise.all([
    deliver('multipart', handover(parts, 'multipart', lost)).catch(() => null),
    ask(parts, `/v1/recordings?number=${encodeURIComponent(kept[0]?.call.from ?? '')}`).catch(() => null),
  ])
  verdict.check(
    delivered === null || delivered.status !== 200 || listed?.status !== 200,
    'without the database the services say so',
    `${delivered?.status}, ${listed?.status}`,
  )
  while (postgres.pid === null || postgres.pid === pid) await delay(pollMs)

  const interrupted = callOf('while ingest is killed', clinicMaxBytes - usualBytes)
  const interrupting = deliver('multipart', handover(parts, 'multipart', interrupted)).catch(() => null)
  await delay(pollMs / 4)
  await services.ingest.kill()
  await interrupting
  await services.ingest.ready()
  const late = callOf('while the worker is killed', clinicMaxBytes - usualBytes)
  await insist(parts, late)
  await delay(pollMs * 10)
  await services.worker.kill()
  await services.worker.ready()
  // As a crash would end it: where core files are written, it would leave one.
  await delay(pollMs * 10)
  if (services.worker.pid !== null) process.kill(services.worker.pid, 'SIGABRT')
  await delay(pollMs * 10)
  await services.worker.ready()
}

async function insist(parts: RunParts, call: MarkedCall): Promise<void> {
  for (let count = 0; count < 50; count++) {
    const answer = await deliver('multipart', handover(parts, 'multipart', call)).catch(() => null)
    if (answer?.status === 200) return
    await delay(pollMs * 2)
  }
  parts.verdict.check(false, 'after a failure a delivery is taken in the end')
}
