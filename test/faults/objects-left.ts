// What the emulated Cloud Storage holds after an operation, and what it must not hold whatever went wrong.
import assert from 'node:assert/strict'
import type { ObjectView } from '../emulators/gcs/state.ts'
import type { ObjectSubject } from './google-objects.ts'

interface Expected {
  readonly key: string
  readonly bytes: Buffer
  /** Nothing may delete it. */
  readonly mustStay?: boolean | undefined
  readonly mustBeKeptUntil?: Date | undefined
  /** What else is told of it. */
  readonly describe?: ((view: ObjectView) => string) | undefined
}

/** Throws for other bytes, a second object, one that was replaced, or one that is gone and had to stay. */
export function leftOf(
  { state, bucket }: ObjectSubject,
  { key, bytes, mustStay = false, mustBeKeptUntil, describe = () => '' }: Expected,
): () => string {
  return () => {
    const all = state.objects(bucket)
    // The bucket keeps what is deleted or replaced, so that a second object would be seen.
    assert.ok(all.length <= 1, `${all.length} objects have had the key`)
    const [object = null] = all
    assert.ok(!mustStay || object?.state === 'live', 'an object is gone that had to stay')
    if (object !== null) {
      assert.equal(object.name, key)
      assert.ok(object.bytes().equals(bytes), 'the object has other bytes')
      if (mustBeKeptUntil !== undefined) {
        assert.equal(object.retention?.retainUntil, mustBeKeptUntil.getTime())
      }
    }
    const sessions = state.sessions().filter(session => session.bucket === bucket && session.state === 'open')
    const open =
      sessions.length === 0 ? '' : `, ${sessions.length} open upload${sessions.length === 1 ? '' : 's'}`
    const isThere = object?.state === 'live'
    return `${isThere ? `the object${describe(object)}` : 'nothing'}${open}`
  }
}
