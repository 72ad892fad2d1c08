// The key service as the use cases get it: a recording's key opens nothing without the event that says so.
//
// "No audit, no audio" is kept here, in one place, and not by every handler: whoever wants something unwrapped under a
// `recordings` key shows an event that is durable, and each such use is told with that event before it happens.
import type { EventId, TenantId } from '@auricle/contract'
import type { KeyUnwrapper, KeyWrapper } from '@auricle/sealed'
import { KeyError } from './error.ts'
import type { KeyName, KeyService } from './key-service.ts'

/** Names an event of the log. Whether it is durable, `isDurable` says. */
export interface NamedEvent {
  readonly tenantId: TenantId
  readonly eventId: EventId
}

export interface KeyUse extends NamedEvent {
  readonly at: Date
}

/** Told of each use before it; what it throws refuses the use. */
export type OnKeyUse = (use: KeyUse) => Promise<void>

export interface RecordingsKeyName {
  readonly purpose: 'recordings'
  readonly tenantId: TenantId
}
/** Keys that open without an event: what they close is no recording. */
export type OtherKeyName =
  | { readonly purpose: 'connectors'; readonly tenantId: TenantId }
  | { readonly purpose: 'identity' }

export interface KeyGuard {
  /** A handle under a `recordings` key wraps, and there is no way to unwrap by it. */
  key(name: RecordingsKeyName): KeyWrapper
  key(name: OtherKeyName): KeyWrapper & KeyUnwrapper
  /**
   * Unwraps under a `recordings` key for what the event says is about to be done. Throws `no_event` for anything that is
   * no durable event of that tenant, before the service is asked; `unavailable` where the use could not be noted.
   */
  opener(name: RecordingsKeyName, event: NamedEvent): KeyUnwrapper
}

export interface KeyGuardOptions {
  /** Whether it is the proof that an event is durable, and no object that only looks like it. */
  readonly isDurable: (event: unknown) => boolean
  readonly onUse: OnKeyUse
  /** Default: the system's clock. */
  readonly now?: (() => Date) | undefined
}

/** The rest of the service stays as it is. */
export function guardKeys<Service extends Pick<KeyService, 'key'>>(
  service: Service,
  { isDurable, onUse, now = () => new Date() }: KeyGuardOptions,
): Omit<Service, 'key'> & KeyGuard {
  function key(name: RecordingsKeyName): KeyWrapper
  function key(name: OtherKeyName): KeyWrapper & KeyUnwrapper
  function key(name: KeyName): KeyWrapper | (KeyWrapper & KeyUnwrapper) {
    const handle = service.key(name)
    if (name.purpose !== 'recordings') return handle
    return { wrap: (dataKey, aad, options) => handle.wrap(dataKey, aad, options) }
  }
  return {
    ...service,
    key,
    opener(name, event) {
      return {
        async unwrap(wrap, aad, options) {
          options?.signal?.throwIfAborted()
          if (!isDurable(event) || event.tenantId !== name.tenantId) throw noEvent()
          const { tenantId, eventId } = event
          await noteUse(onUse, { tenantId, eventId, at: now() })
          return await service.key(name).unwrap(wrap, aad, options)
        },
      }
    },
  }
}

async function noteUse(onUse: OnKeyUse, use: KeyUse): Promise<void> {
  try {
    await onUse(use)
  } catch (cause) {
    throw new KeyError('unavailable', 'The use of a key cannot be noted now', { cause })
  }
}

const noEvent = (): KeyError =>
  new KeyError('no_event', 'The key of a recording opens nothing without a durable event')
