// What the use cases have of a key service: they wrap, and open a recording for a durable event alone.
import type { KeyGuard, KeyService, RecordingsKeyName } from '@auricle/keys'
import type { KeyUnwrapper } from '@auricle/sealed'
import type { DurableEvent } from './log/durable-event.ts'

export interface VaultKeys extends Pick<KeyService, 'ensure'>, Pick<KeyGuard, 'key'> {
  /** Throws `no_event` (KeyError) for anything but a durable event of the tenant. */
  opener(name: RecordingsKeyName, event: DurableEvent): KeyUnwrapper
}
