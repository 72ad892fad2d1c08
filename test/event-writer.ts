// Writers of events for tests: real ones, each a life of its own.
import { createEventWriter, type EventWriter } from '@auricle/vault'

export function aStamper(): EventWriter {
  return createEventWriter({ name: 'test', logName: 'auricle.test' })
}
