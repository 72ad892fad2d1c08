// Certificates of destruction: of one recording, as JSON or as the signed text; listed; and the keys to check them by.
import {
  CertificateDetail,
  CertificateKeys,
  CertificatePage,
  CertificateQuery,
  problems,
  RecordingId,
  type Session,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import {
  type CertificateParts,
  listCertificates,
  showCertificate,
  showCertificateKeys,
  VaultError,
} from '@auricle/vault'
import type { z } from 'zod'
import { preferredType } from '../preferred-type.ts'
import { sendProblem } from '../problem.ts'
import { exchangeOf, factsOf } from '../request.ts'
import { type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  CertificateDetail,
  CertificateKeys,
  CertificatePage,
} as const satisfies Record<string, z.ZodType>

const joseType = 'application/jose'

export const table = [
  {
    operationId: 'showCertificate',
    method: 'get',
    path: '/v1/recordings/{id}/certificate',
    needs: 'disposition.read',
    summary: 'Show the certificate of destruction of a recording',
    description:
      'As JSON with what it says, or with `Accept: application/jose` the signed text alone (compact JWS), which is there ' +
      'about a minute after the destruction; before that the JSON has `state` `pending`. See docs/certificate.md.',
    answers: [
      {
        status: 200,
        description: 'The certificate.',
        body: { type: 'json', schema: 'CertificateDetail', orBytes: joseType },
      },
    ],
    problems: ['malformed', 'denied', 'notFound', 'notAcceptable', 'conflict'],
  },
  {
    operationId: 'listCertificates',
    method: 'get',
    path: '/v1/certificates',
    needs: 'disposition.read',
    summary: 'List certificates of destruction',
    description: 'From the newest destruction on.',
    query: {
      schema: CertificateQuery,
      notes: {
        from: 'Of what was destroyed then or later.',
        to: 'Of what was destroyed before then.',
        cursor: '`nextCursor` of the page before.',
        limit: 'Most on a page.',
      },
    },
    answers: [ok('CertificatePage', 'One page; `nextCursor` is null on the last.')],
    problems: ['malformed', 'denied'],
  },
  {
    operationId: 'showCertificateKeys',
    method: 'get',
    path: '/v1/certificates/keys',
    needs: 'disposition.read',
    summary: 'Show the keys of certificates',
    description:
      'As a JWK set (RFC 7517), newest first. Keep it apart from the vault: keys that the vault gives out when it is ' +
      'doubted prove nothing against it.',
    answers: [ok('CertificateKeys', 'The keys; none before the first certificate.')],
    problems: ['denied'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface CertificateRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly certificates: CertificateParts
}

export function createCertificateHandlers({ identity, certificates }: CertificateRouteParts) {
  return {
    async showCertificate(request, response) {
      const id = RecordingId.parse(request.params['id'])
      response.vary('Accept')
      const type = preferredType(request.get('Accept'), ['application/json', joseType])
      const exchange = exchangeOf(request)
      if (type === null) {
        sendProblem(response, { ...problems.notAcceptable, instance: exchange.id })
        return
      }
      const shown = await showCertificate(certificates, factsOf(identity, request), id, exchange)
      if (type !== joseType) response.json(shown)
      else if (shown.jws === null)
        throw new VaultError('conflict', 'It is not signed yet. Try again in a minute.')
      else response.attachment(`${id}.jws`).type(joseType).send(Buffer.from(shown.jws))
    },
    async listCertificates(request, response) {
      const query = CertificateQuery.parse(request.query)
      const facts = factsOf(identity, request)
      response.json(await listCertificates(certificates, facts, query, exchangeOf(request)))
    },
    async showCertificateKeys(request, response) {
      const facts = factsOf(identity, request)
      response.json(await showCertificateKeys(certificates, facts, exchangeOf(request)))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
