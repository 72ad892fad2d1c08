// The contract of a connector kind: authenticate a request over its raw bytes, and say what it delivers.
import type { Notice } from '@auricle/contract'

/** One HTTP request of a PBX, before anything has looked at it. */
export interface DeliveryRequest {
  readonly method: 'POST' | 'PUT'
  /** Last path segment of a `PUT`, decoded; null on `POST`. */
  readonly name: string | null
  /** Lower-case names. Repeated headers are joined as HTTP joins them. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Query parameters, first value each. */
  readonly query: Readonly<Record<string, string | undefined>>
  /** The raw body; throws if it is cut off, too large or idle for too long. */
  readonly body: AsyncIterable<Uint8Array>
}

export type Delivery = (
  | {
      readonly type: 'audio'
      /** Where it is known before the body; lets a duplicate be recognised without storing it. */
      readonly sourceId: string | null
      /**
       * The audio bytes as delivered. Ends normally only after the whole body has arrived and its signature has
       * been verified; otherwise it throws, so that whoever stores it stores nothing.
       */
      readonly audio: AsyncIterable<Uint8Array>
      /** The facts; call it after `audio` ended. */
      notice(): Notice
    }
  /** The notice names an `audioUrl` to fetch later; the body is already verified. */
  | { readonly type: 'remote'; readonly notice: Notice }
) & {
  /**
   * The id that the sender gives one message and signs with it, the same however often it is sent; absent where a kind
   * has none. As its signature it holds only after the whole body has arrived.
   */
  readonly messageId?: string
  /** Which secret the sender proved to have; null before the whole body has arrived. Absent where none was asked for. */
  readonly provenBy?: () => ProvenBy | null
}

/** Of secrets that were changed: the new one, or the one before, which should be changed in the PBX too. */
export type ProvenBy = 'current' | 'previous'

/** Secrets from before a change that may still hold. */
export interface PreviousSecrets<Secrets> {
  readonly secrets: Secrets
  /** Asked at the moment a secret decides, which is after the body where the body is signed. */
  holds(): boolean
}

export interface OpenOptions<Secrets = unknown> {
  readonly now: Date
  readonly previous?: PreviousSecrets<Secrets> | undefined
  readonly signal?: AbortSignal | undefined
}

/** `Secrets` is what the connector kind keeps sealed, several at once while they are rotated. */
export interface PbxConnector<Secrets> {
  readonly kind: string
  /** Parses what `newSecrets` made and the catalog kept. */
  parseSecrets(value: unknown): Secrets
  /** Fresh secrets, and what the administrator has to enter in the PBX, shown once. */
  newSecrets(): { readonly secrets: Secrets; readonly shown: string }
  /** Throws `PbxError`; refuses on headers alone where it can, before any of the body is read. */
  open(request: DeliveryRequest, secrets: Secrets, options: OpenOptions<Secrets>): Promise<Delivery>
}
