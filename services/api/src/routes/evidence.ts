// Evidence for somebody outside: a part of the log as a file that is checked without the vault, and whom to trust for it.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EvidenceSelection, type Session } from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import { type AuthorizeParts, type EvidenceParts, exportEvidence, showPolicy } from '@auricle/vault'
import { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import type { Handler, RouteOf } from '../route.ts'

const EvidenceQuery = z.strictObject({
  ...EvidenceSelection.shape,
  private: z.stringbool().default(false),
})

export const table = [
  {
    operationId: 'exportEvidence',
    method: 'get',
    path: '/v1/audit/export',
    needs: 'audit.export',
    summary: 'Export evidence',
    description:
      'All events of the log from shortly before `from` to its newest checkpoint, with everything that shows them to ' +
      'be complete and unaltered; the verifier picks out those that are asked for. See docs/evidence.md.',
    query: {
      schema: EvidenceQuery,
      notes: {
        patient: 'Events about this patient, by the name that the log has for them.',
        user: 'Events by this person.',
        recording: 'Events about this recording.',
        from: 'Events that happened then or later.',
        to: 'Events that happened before then.',
        private: '`true` shows the private parts of the events that are asked for.',
      },
    },
    answers: [
      {
        status: 200,
        description: 'The bundle, one line after the other.',
        body: { type: 'bytes', contentType: 'application/x-ndjson' },
        headers: { 'Content-Disposition': 'A name for the file.' },
      },
    ],
    problems: ['malformed', 'stepUpRequired', 'denied', 'conflict'],
  },
  {
    operationId: 'showLogPolicy',
    method: 'get',
    path: '/v1/audit/policy',
    needs: 'audit.read',
    summary: 'Show whom to trust',
    description:
      'The keys by which evidence is checked, as a C2SP tlog-policy. Keep it when the contract is made: a policy fetched ' +
      'later from the vault that is to be checked proves nothing against it.',
    answers: [
      {
        status: 200,
        description: 'The policy.',
        body: { type: 'bytes', contentType: 'text/plain; charset=utf-8' },
      },
    ],
    problems: ['denied', 'conflict'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface EvidenceRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly evidence: EvidenceParts & AuthorizeParts
}

export function createEvidenceHandlers({ identity, evidence }: EvidenceRouteParts) {
  return {
    async exportEvidence(request, response) {
      const { private: showsPrivate, ...given } = EvidenceQuery.parse(request.query)
      const selection = EvidenceSelection.parse(given)
      const exchange = exchangeOf(request)
      const facts = factsOf(identity, request)
      const lines = await exportEvidence(evidence, facts, { selection, showsPrivate }, exchange)
      // The first line comes before the head: what cannot be made at all is a problem, and no empty file.
      const first = await lines.next()
      response.status(200).set({
        'Content-Type': 'application/x-ndjson',
        'Content-Disposition': `attachment; filename="${facts.actor.tenantId}.evidence.ndjson"`,
        'Cache-Control': 'no-store',
      })
      async function* all() {
        if (first.done !== true) yield first.value
        yield* lines
      }
      await pipeline(Readable.from(all(), { objectMode: false }), response, { signal: exchange.signal })
    },
    async showLogPolicy(request, response) {
      const text = await showPolicy(evidence, factsOf(identity, request), exchangeOf(request))
      response.type('text/plain; charset=utf-8').send(text)
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
