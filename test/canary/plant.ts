// Markers put where they must be found: a scan that finds nothing proves something only if it would have.
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TenantId } from '@auricle/contract'
import pg from 'pg'
import type { Google } from '../harness/google.ts'
import { inPieces } from '../harness/http-client.ts'
import type { Stack } from '../harness/stack.ts'
import { bytesMarker, formsOf, type Marker, textMarker } from './marker.ts'

export interface Planted {
  readonly marker: Marker
  readonly form: RegExp
  /** What the place of the hit must look like. */
  readonly where: RegExp
}

const fillerBytes = 4 * 1024 * 1024 - 11
const compressibleTimes = 1_000

/** Call with everything running; the server must be stopped before the scan, so that its files are whole. */
export async function plant(stack: Stack): Promise<readonly Planted[]> {
  const planted: Planted[] = []
  const add = (marker: Marker, form: RegExp, where: RegExp) => {
    planted.push({ marker, form, where })
    return marker
  }

  const everyForm = textMarker('planted in every form')
  for (const [index, { form, pattern }] of formsOf(everyForm).entries()) {
    await writeFile(
      join(stack.dataFolder, `planted-${index}.bin`),
      Buffer.concat([Buffer.from('??'), pattern]),
    )
    add(everyForm, literally(form), new RegExp(`planted-${index}\\.bin$`))
  }
  const everyBytes = bytesMarker('planted bytes in every form')
  for (const [index, { form, pattern }] of formsOf(everyBytes).entries()) {
    await writeFile(join(stack.temporaryFolder, 'api', `planted-${index}.bin`), pattern)
    add(everyBytes, literally(form), new RegExp(`api/planted-${index}\\.bin$`))
  }

  if (stack.google !== null) await plantAtGoogle(stack, stack.google, add)
  const folder = join(stack.dataFolder, 'objects', 'planted')
  await mkdir(folder, { recursive: true })
  const object = add(bytesMarker('planted in an object'), /^raw$/, /objects\/planted/)
  await writeFile(
    join(folder, 'object'),
    Buffer.concat([Buffer.alloc(fillerBytes), object.bytes, Buffer.alloc(100)]),
  )
  const logged = add(textMarker('planted in a log'), /^raw$/, /logs\/ingest\.log$/)
  await appendFile(join(stack.logFolder, 'ingest.log'), `{"msg":"${logged.bytes.toString()}"}\n`)
  const named = textMarker('planted as a file name')
  add(named, /^raw$/, /^the name of /)
  await writeFile(join(stack.dataFolder, named.text), '')

  const client = new pg.Client({ ...stack.postgres.superuser, application_name: 'auricle-canary' })
  await client.connect()
  try {
    await client.query('create table planted (id int primary key, value text, filler text)')
    const row = textMarker('planted in a row')
    add(row, /^raw$/, /\/base\/\d+\/\d+$/)
    await client.query('insert into planted values (1, $1, null)', [row.text])
    const bytea = bytesMarker('planted in a bytea in the log of writes')
    add(bytea, /^raw$/, /pg_wal\//)
    await client.query('create table planted_bytes (value bytea)')
    await client.query('insert into planted_bytes values ($1)', [bytea.bytes])

    const compressed = textMarker('planted in a value that PostgreSQL compresses')
    add(compressed, /^pglz/, /\/base\/\d+\/\d+$/)
    const compressible = 'all work and no play '.repeat(compressibleTimes)
    await client.query('insert into planted values (2, $1, null)', [
      `${compressible}${compressed.text}${compressible}`,
    ])
    const { rows } = await client.query('select pg_column_compression(value) from planted where id = 2')
    if (rows[0]?.pg_column_compression !== 'pglz')
      throw new Error(
        `PostgreSQL compressed with ${rows[0]?.pg_column_compression}: the scan does not know that`,
      )

    // A page that is first written to after a checkpoint is logged whole, and compressed (wal_compression).
    const image = textMarker('planted in a compressed page image')
    add(image, /^(pglz|raw)/, /pg_wal\//)
    await client.query('create table planted_page (id int, value text)')
    await client.query("insert into planted_page select n, repeat('-', 20) from generate_series(1, 60) n")
    await client.query('insert into planted_page values (0, $1)', [image.text])
    await client.query('checkpoint')
    await client.query("update planted_page set value = 'gone' where id = 0")
    // What was deleted is still there until it is written over.
    const gone = textMarker('planted in a row that was deleted')
    add(gone, /^raw$/, /\/base\/\d+\/\d+$/)
    await client.query('insert into planted values (3, $1, null)', [gone.text])
    await client.query('delete from planted where id = 3')
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
  return planted
}

async function plantAtGoogle(
  { stores, adapters, superuser }: Stack,
  { redis }: Google,
  add: (marker: Marker, form: RegExp, where: RegExp) => Marker,
): Promise<void> {
  const bytes = add(bytesMarker('planted in a bucket'), /^raw$/, /requests\/clinic-recordings\/\d+$/)
  const noted = textMarker('planted in metadata')
  add(noted, /^raw$/, /clinic-recordings\/\d+\.json$/)
  const metadata = { planted: noted.text }
  await stores.objects.put('intake/planted', inPieces(bytes.bytes), { retainUntil: null, metadata })
  await stores.objects.delete('intake/planted')

  const queued = textMarker('planted in a key of Redis that was deleted')
  add(queued, /^raw$/, /appendonlydir\//)
  const client = redis.client()
  await client.set('planted', queued.text)
  await client.del('planted')

  const { rows } = await superuser.query<{ id: TenantId }>('select id from auricle.tenant limit 1')
  const [tenant] = rows
  if (tenant === undefined) throw new TypeError('There is no tenant')
  const sent = add(
    bytesMarker('planted in a request to the key service'),
    /^raw$/,
    /kms-Encrypt-plaintext\.bin$/,
  )
  const key = adapters.keys.key({ purpose: 'recordings', tenantId: tenant.id })
  await key.wrap(sent.bytes, Buffer.from('planted'))
}

function literally(form: string): RegExp {
  return new RegExp(`^${form.replace(/[+]/g, '\\+')}$`)
}
