// The faults of the matrix: everything that the emulators can do to a request, in words for operators.
import type { Fault, FaultType } from '../emulators/faults.ts'

export interface TableFault {
  /** Stands in the tables. */
  readonly name: string
  readonly meaning: string
  readonly fault: Fault
}

/** Longer than any deadline of the run. */
const slowMs = 3_000
/** Within the first piece of anything that is sent or answered. */
const cutAfterBytes = 10

export const faultTable: readonly TableFault[] = [
  {
    name: 'unavailable',
    meaning: 'The service refuses: HTTP 503, gRPC UNAVAILABLE.',
    fault: { type: 'status', status: 503, code: 14 },
  },
  {
    name: 'quota',
    meaning:
      'The service refuses for now and says how long: HTTP 429 with Retry-After, gRPC RESOURCE_EXHAUSTED.',
    fault: { type: 'status', status: 429, code: 8, retryAfterSeconds: 1 },
  },
  {
    name: 'request cut',
    meaning: 'The connection breaks while the request is sent. Nothing has happened.',
    fault: { type: 'cut', side: 'request', afterBytes: cutAfterBytes },
  },
  {
    name: 'answer cut',
    meaning: 'The connection breaks in the middle of the answer. What was asked for has happened.',
    fault: { type: 'cut', side: 'response', afterBytes: cutAfterBytes },
  },
  {
    name: 'corrupt bytes',
    meaning: 'One bit of what is stored, read, wrapped or signed differs on its way.',
    fault: { type: 'corrupt', what: 'bytes' },
  },
  {
    name: 'corrupt checksum',
    meaning: 'The bytes are right, and the checksum that comes with them is not.',
    fault: { type: 'corrupt', what: 'checksum' },
  },
  {
    name: 'slow',
    meaning: 'No answer comes before the deadline of an attempt.',
    fault: { type: 'slow', ms: slowMs },
  },
  {
    name: 'answer lost',
    meaning: 'It is done, and the connection breaks before the first byte of the answer.',
    fault: { type: 'lost-acknowledgement' },
  },
  {
    name: 'token expired',
    meaning: 'The access token counts as expired from this request on, whatever its date says.',
    fault: { type: 'expired-token' },
  },
]

/** Fails to compile when the emulators learn a fault that the table lacks. */
export const everyType: Readonly<Record<FaultType, true>> = {
  status: true,
  cut: true,
  corrupt: true,
  slow: true,
  'lost-acknowledgement': true,
  'expired-token': true,
}
