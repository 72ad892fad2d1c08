// What rules come to: how one recording stands and why, and what a change of a rule would do.
import {
  NewRetentionPreview,
  RecordingId,
  RetentionExplanation,
  RetentionPreview,
  type Session,
} from '@auricle/contract'
import type { HttpIdentity } from '@auricle/identity'
import { type ExplainParts, explainRecording, type PreviewParts, previewRule } from '@auricle/vault'
import type { z } from 'zod'
import { exchangeOf, factsOf } from '../request.ts'
import { type Handler, ok, type RouteOf } from '../route.ts'

/** Under the names the document gives them. */
export const schemas = {
  NewRetentionPreview,
  RetentionExplanation,
  RetentionPreview,
} as const satisfies Record<string, z.ZodType>

export const table = [
  {
    operationId: 'showRetention',
    method: 'get',
    path: '/v1/recordings/{id}/retention',
    needs: 'recording.show',
    summary: 'Explain how long a recording is kept',
    description:
      'Which version of which rule governs it, until when and why, in sentences and in facts: clocks, holds, what ' +
      'the stores keep, its disposition. Also of a recording that is destroyed; then it names the certificate. What a ' +
      'hold is called is told to who may read holds.',
    answers: [ok('RetentionExplanation', 'How it stands.')],
    problems: ['malformed', 'denied', 'notFound'],
  },
  {
    operationId: 'previewRetention',
    method: 'post',
    path: '/v1/retention-previews',
    needs: 'retention.read',
    summary: 'Preview a rule',
    description:
      'What a new rule, another version of one, or its end would do to every recording that is there: how many would ' +
      'be kept longer or for less, due sooner or later, and what is locked, held or undecided. Nothing is changed by it. ' +
      'It looks at every recording, so it takes its time.',
    body: 'NewRetentionPreview',
    answers: [ok('RetentionPreview', 'What would change.')],
    problems: ['malformed', 'denied', 'notFound', 'tooLarge'],
  },
] as const satisfies readonly RouteOf<string>[]

export interface RetentionDecisionRouteParts {
  readonly identity: HttpIdentity<Session>
  readonly retentionDecisions: ExplainParts & PreviewParts
}

export function createRetentionDecisionHandlers({
  identity,
  retentionDecisions,
}: RetentionDecisionRouteParts) {
  return {
    async showRetention(request, response) {
      const id = RecordingId.parse(request.params['id'])
      const facts = factsOf(identity, request)
      response.json(await explainRecording(retentionDecisions, facts, id, exchangeOf(request)))
    },
    async previewRetention(request, response) {
      const asked = NewRetentionPreview.parse(request.body)
      const facts = factsOf(identity, request)
      response.json(await previewRule(retentionDecisions, facts, asked, exchangeOf(request)))
    },
  } satisfies Record<(typeof table)[number]['operationId'], Handler>
}
