// The same handlers on an Express app without guards: nobody is asked who they are, and every decision is yes.
//
// Whoever the token belongs to is looked up once, when the server starts. A range still looks its recording up, as it
// would without any access control.
import { once } from 'node:events'
import {
  createRecordingHandlers,
  createSessionHandlers,
  openAuthority,
  openExchange,
} from '@auricle/api-service'
import type { PlayFacts } from '@auricle/catalog'
import type { Session } from '@auricle/contract'
import { createHttpIdentity, type Decide, IdentityError } from '@auricle/identity'
import { createLogger, openAdapters, readConfig } from '@auricle/runtime'
import { actorOf, createEventLog, createEventWriter, createPlayer, createTenantSecrets } from '@auricle/vault'
import express, { type NextFunction, type Request, type Response } from 'express'
import pg from 'pg'
import { guardedKeys } from '../../guarded-keys.ts'
import { serveParent } from '../system/child.ts'

/** What it says first. */
export interface BareServer {
  readonly port: number
}

const { config, secrets: configured } = readConfig(process.env)
const logger = createLogger({ ...config.log, level: 'error' })
const writer = createEventWriter({ name: 'bench' })
const adapters = await openAdapters({
  stamper: writer,
  config,
  secrets: configured,
  logger,
  database: 'join',
})
const { catalog, objects, noteKeyUse } = adapters
const keys = guardedKeys(adapters.keys, noteKeyUse)
const log = createEventLog({ catalog, writer, store: adapters.logStore })
const secrets = createTenantSecrets({ catalog, keys, log })

const token = process.env['BENCH_TOKEN'] ?? ''
const claims = await (await openAuthority({ catalog, keys }, {})).verifyToken(token)
const { tenantId, userId, tokenId } = claims
const found = await catalog.findBearer(tenantId, tokenId, new Date())
if (found === null) throw new Error('The token of the benchmark does not hold')
const actor = actorOf({ tenantId, userId, tokenId, ...found })
const nobody = () => Promise.reject(new IdentityError('unauthenticated', 'Nobody is asked here'))
const identity = {
  ...createHttpIdentity<Session>({ signIn: nobody, verifyToken: nobody, findActor: nobody }),
  actorOf: () => actor,
  claimsOf: () => claims,
}

const yes: Decide = () => ({ allowed: true, reasons: ['bench'] })
const pool = new pg.Pool({
  connectionString: process.env['DATABASE_URL'],
  options: `-c auricle.tenant=${tenantId}`,
  max: 10,
})
const lookUp = `select r.id, r.mailbox_id, r.labels, r.audio_state, b.role, b.object_key, b.generation, b.sealed_bytes,
    b.plaintext_bytes, b.content_type, b.fingerprint, b.wrap
  from auricle.recording r
  join auricle.recording_object b on b.tenant_id = r.tenant_id and b.recording_id = r.id and b.role = $3
  where r.tenant_id = $1 and r.id = $2`
const known = new Map<string, PlayFacts | null>()
const player = createPlayer({
  ...{ log, objects, keys, secrets, decide: yes },
  catalog: {
    ...catalog,
    async findPlayFacts(query) {
      const { recordingId, role } = query
      const key = `${recordingId} ${role}`
      await pool.query({ name: 'look_up', text: lookUp, values: [tenantId, recordingId, role] })
      const facts = known.get(key) ?? (await catalog.findPlayFacts(query))
      known.set(key, facts)
      return facts
    },
  },
})
const handlers = {
  ...createSessionHandlers({ identity, catalog, now: () => new Date(), endSession: nobody }),
  ...createRecordingHandlers({
    identity,
    player,
    browse: { catalog, log, secrets, decide: yes },
    audioBytes: () => undefined,
  }),
}

const app = express()
app.disable('x-powered-by').set('etag', false).set('trust proxy', 'loopback').set('query parser', 'simple')
app.use((request: Request, response: Response, next: NextFunction) => {
  openExchange(request, response)
  next()
})
app.get('/v1/me', handlers.getMe)
app.get('/v1/recordings', handlers.listRecordings)
app.get('/v1/recordings/:id/audio', handlers.playRecording)
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (address === null || typeof address === 'string') throw new TypeError('A TCP server has a port')

serveParent({ port: address.port } satisfies BareServer, () => Promise.resolve(null))
