// Resumable uploads that were begun: what has arrived of each, and how it ended.
import { randomUUID } from 'node:crypto'
import type { JsonRecord } from './json.ts'
import { Refusal } from './refusal.ts'
import type { BytesBeingStored } from './stored-bytes.ts'
import type { Upload } from './upload.ts'

export interface Session {
  readonly id: string
  readonly upload: Upload
  /** As announced when it began; null where it was not. */
  readonly size: number | null
  readonly expiresAt: number
  /** Let go of when it ends, or they would outlive the object. */
  bytes: BytesBeingStored
  state:
    | { readonly type: 'open' }
    | { readonly type: 'finished'; readonly resource: JsonRecord }
    | { readonly type: 'cancelled' }
    | { readonly type: 'failed' }
}

export interface Sessions {
  begin(session: Omit<Session, 'id' | 'expiresAt' | 'state'>): Session
  /** Throws where there is none, or not any more. */
  find(id: string): Session
  all(): readonly Session[]
}

const keptMs = 7 * 24 * 3_600 * 1_000

export function createSessions(now: () => number): Sessions {
  const sessions = new Map<string, Session>()
  return {
    begin(given) {
      const session: Session = {
        ...given,
        id: randomUUID().replaceAll('-', ''),
        expiresAt: now() + keptMs,
        state: { type: 'open' },
      }
      sessions.set(session.id, session)
      return session
    },
    find(id) {
      const session = sessions.get(id)
      if (session === undefined) throw new Refusal(404, 'notFound', 'No such upload session.')
      if (session.state.type === 'cancelled') throw cancelled()
      if (session.state.type === 'failed' || session.expiresAt <= now()) {
        throw new Refusal(410, 'gone', 'The upload session is over. Begin a new one.')
      }
      return session
    },
    all: () => [...sessions.values()],
  }
}

/** How the service answers the deletion of a session, and every use of it afterwards. */
export const cancelled = () => new Refusal(499, 'clientClosedRequest', 'The upload was cancelled.')
