// Canary: a full run with markers in everything that may identify a patient or open a door, then a search for them in
// every byte that was written anywhere, and in the command lines of the processes that ran.
//
//   npm run canary -- --backend google
import '../harness/own-roots.ts'
import { join, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { startAudioHost } from '../harness/audio-host.ts'
import { openClinic } from '../harness/clinic.ts'
import type { Google } from '../harness/google.ts'
import { readSamples } from '../harness/samples.ts'
import { openStack, parseBackend, type Stack } from '../harness/stack.ts'
import { createVerdict, mebibytes, printTable, say, seconds } from '../harness/verdict.ts'
import { clinicMaxBytes, runEverything } from './full-run.ts'
import { formsOf, type Marker, markerOf, textMarker } from './marker.ts'
import { plant } from './plant.ts'
import { watchProcesses } from './process-watch.ts'
import { createScanner, type Hit, type Scanner } from './scan.ts'

const signatureCharacters = 40
const hitsShownMost = 40

const { values } = parseArgs({
  options: { backend: { type: 'string', default: 'local' }, keep: { type: 'boolean', default: false } },
})
const backend = parseBackend(values.backend)
const startedMs = performance.now()
const verdict = createVerdict()
await run()
say(`took ${seconds(performance.now() - startedMs)}`)
verdict.finish('canary')

async function run(): Promise<void> {
  await using opening = new AsyncDisposableStack()
  const prepared = opening.use(
    await openStack({
      name: 'canary',
      logLevel: 'debug',
      workerConcurrency: 2,
      backend,
      recordsRequests: true,
      keep: values.keep,
    }),
  )
  if (values.keep) say(`everything stays in ${prepared.folder}`)
  const hosted: Parameters<typeof runEverything>[0]['hosted'] = new Map()
  const host = opening.use(await startAudioHost(path => hosted.get(decodeURIComponent(path)) ?? null))
  const password = textMarker('the password of the people')
  const clinic = await openClinic(prepared, {
    slug: 'canary',
    name: 'Canary Clinic',
    mailboxAddress: '2001',
    mailboxName: 'Front desk',
    clinicianName: 'Clinician',
    password: password.text,
    allowedHosts: [{ origin: host.origin, privateCidr: '127.0.0.0/8' }],
    maxBytes: clinicMaxBytes,
  })
  const markers: Marker[] = [
    password,
    ...[clinic.clinician, clinic.stranger].flatMap(({ login, token, totpSecret }) => [
      markerOf(`the token of the ${login}`, token.slice(-signatureCharacters)),
      markerOf(`the authenticator key of the ${login}`, totpSecret),
    ]),
    markerOf('the token of the upload connector', clinic.upload.secret),
    markerOf('the secret of the standard connector', clinic.standard.secret.replace('whsec_', '')),
    {
      name: 'the secret of the standard connector, decoded',
      bytes: Buffer.from(clinic.standard.secret.replace('whsec_', ''), 'base64'),
    },
  ]
  const stack = await prepared.startServices()
  // Markers are made as the run goes, so what processes showed is kept and searched with all of them at the end.
  const shown: [Buffer, string][] = []
  const watch = watchProcesses(Object.values(stack.services), { scanBytes: (...one) => shown.push(one) })
  await runEverything({
    stack,
    clinic,
    samples: readSamples(),
    verdict,
    markers,
    hosted,
    audioOrigin: host.origin,
  })
  await watch[Symbol.asyncDispose]()
  verdict.check(
    watch.ffmpegSeen > 0,
    'command lines of ffmpeg were looked at',
    `${watch.ffmpegSeen} processes`,
  )

  const rows = await readAllRows(stack)
  const planted = await plant(stack)
  for (const service of Object.values(stack.services)) await service.stop()
  await stack.postgres.stop()
  if (stack.google !== null) await writeOut(stack, stack.google)

  const scanner = createScanner(
    [...markers, ...new Set(planted.map(({ marker }) => marker))].flatMap(formsOf),
  )
  for (const [bytes, where] of shown) scanner.scanBytes(bytes, where)
  for (const { table, bytes } of rows) scanner.scanBytes(bytes, `the rows of ${table}`)
  await scanner.scanFolder(stack.folder)
  if (!stack.postgres.folder.startsWith(stack.folder + sep)) await scanner.scanFolder(stack.postgres.folder)
  report(stack, scanner, markers, rows)

  const isPlanted = ({ form }: Hit) => planted.some(({ marker }) => marker === form.marker)
  const found = planted.filter(({ marker, form, where }) =>
    scanner.hits.some(hit => hit.form.marker === marker && form.test(hit.form.form) && where.test(hit.where)),
  )
  for (const missed of planted.filter(one => !found.includes(one)))
    say(`       not found: ${missed.marker.name}, ${missed.form}, ${missed.where}`)
  verdict.check(
    found.length === planted.length,
    'the scan finds every marker that was planted on purpose',
    `${found.length} of ${planted.length} (files, names, logs, rows, deleted rows, compressed values, WAL, compressed page images)`,
  )
  const leaks = scanner.hits.filter(hit => !isPlanted(hit))
  for (const { form, where } of leaks.slice(0, hitsShownMost))
    say(`       LEAK: ${form.marker.name}, ${form.form}, in ${where.replace(stack.folder, '')}`)
  verdict.check(leaks.length === 0, 'no other marker is anywhere', `${leaks.length} hits`)
}

/** What was deleted lately is still there, as it is in Google's. */
async function writeOut({ folder }: Stack, { storage }: Google): Promise<void> {
  const count = await storage.command<number>('write-out', { folder: join(folder, 'requests') })
  say(`${count} objects of every generation written out of the emulated buckets`)
}

/** Every table of every schema as text: what PostgreSQL compressed or moved aside is whole here. */
async function readAllRows({ superuser }: Stack): Promise<readonly { table: string; bytes: Buffer }[]> {
  const { rows: tables } = await superuser.query<{ schema: string; name: string }>(
    `select schemaname as schema, tablename as name from pg_tables where schemaname <> 'information_schema'
       and (schemaname <> 'pg_catalog' or tablename in ('pg_statistic', 'pg_largeobject', 'pg_description'))`,
  )
  const read = async (schema: string, name: string) => {
    const { rows } = await superuser.query<{ row: string }>(
      `select t::text as row from "${schema}"."${name}" t`,
    )
    return { table: `${schema}.${name}`, bytes: Buffer.from(rows.map(({ row }) => row).join('\n')) }
  }
  return Promise.all(tables.map(({ schema, name }) => read(schema, name)))
}

function report(
  stack: Stack,
  scanner: Scanner,
  markers: readonly Marker[],
  rows: Awaited<ReturnType<typeof readAllRows>>,
): void {
  printTable(
    ['scanned', ''],
    [
      ['markers', String(markers.length)],
      ['forms of a marker', String(markers[0] === undefined ? 0 : formsOf(markers[0]).length)],
      ['files', String(scanner.files)],
      ['tables as text', String(rows.length)],
      ['bytes', mebibytes(scanner.bytes)],
      ['folder', stack.folder],
    ],
  )
  say(
    'PostgreSQL compresses long values and page images in its log (pglz): random markers stay literal in it, in groups\n' +
      'of eight bytes, and are searched for in that form too; every live row is searched decompressed as well.',
  )
}
