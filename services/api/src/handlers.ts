// What each operation does, put together from the themes: one for every operation, or the service does not compile.
import type { Handler } from './route.ts'
import { createDocumentHandlers } from './routes/document.ts'
import { createInvitationHandlers, type InvitationRouteParts } from './routes/invitations.ts'
import { createOwnFactorHandlers, type OwnFactorRouteParts } from './routes/own-factors.ts'
import { createOwnSessionHandlers, type OwnSessionRouteParts } from './routes/own-sessions.ts'
import { createOwnTokenHandlers, type OwnTokenRouteParts } from './routes/own-tokens.ts'
import { createPasskeySessionHandlers, type PasskeySessionRouteParts } from './routes/passkey-sessions.ts'
import { createRecordingHandlers, type RecordingRouteParts } from './routes/recordings.ts'
import { createSessionHandlers, type SessionRouteParts } from './routes/sessions.ts'
import type { OperationId } from './routes-table.ts'

export type Handlers = Readonly<Record<OperationId, Handler>>

export type HandlerParts = RecordingRouteParts &
  SessionRouteParts &
  OwnSessionRouteParts &
  PasskeySessionRouteParts &
  OwnFactorRouteParts &
  OwnTokenRouteParts &
  InvitationRouteParts & {
    /** The OpenAPI document. */
    readonly document: object
  }

export function createHandlers(parts: HandlerParts): Handlers {
  return {
    ...createSessionHandlers(parts),
    ...createOwnSessionHandlers(parts),
    ...createPasskeySessionHandlers(parts),
    ...createOwnFactorHandlers(parts),
    ...createOwnTokenHandlers(parts),
    ...createInvitationHandlers(parts),
    ...createRecordingHandlers(parts),
    ...createDocumentHandlers(parts),
  }
}
