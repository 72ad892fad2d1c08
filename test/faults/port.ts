// What the matrix needs of a port: its operations as a caller uses them, and a service that faults can be put before.
import type { FaultScript, FaultType } from '../emulators/faults.ts'

/** What a call answered, in a word for the page; the bytes of it are judged once the fault is lifted. */
export interface Answer {
  readonly said: string
  /** Throws where what came back is not right. */
  readonly judge?: (() => Promise<void>) | undefined
}

/** One operation on what was prepared for it. */
export interface Attempt {
  /** As a caller makes the call, each time anew. */
  call(): Promise<Answer>
  /** What the service holds of it now, in words for the page. Throws where that is wrong whatever the fault. */
  left(): string
}

export interface Operation<Subject> {
  readonly name: string
  prepare(subject: Subject): Promise<Attempt>
  /** What may be said when it succeeds. Default: what is said without a fault. */
  readonly mayBeSaid?: RegExp | undefined
  /** The same where the call is made again after an error. Default: as `mayBeSaid`. */
  readonly mayBeSaidAgain?: RegExp | undefined
  /** What may be left in the end. Default: what is left without a fault. */
  readonly mayBeLeft?: RegExp | undefined
}

export interface Lane<Subject> extends AsyncDisposable {
  readonly faults: FaultScript
  /** How many requests the service got, by its own names of them. */
  requests(): Readonly<Record<string, number>>
  /** An adapter that has called once before, and a place in the service that nobody else has. */
  open(options: { readonly attemptTimeoutMs: number }): Promise<Subject & AsyncDisposable>
}

/** The error of a port as a caller sees it. */
export interface Seen {
  readonly code: string
  readonly transient: boolean
}

export interface Port<Subject> {
  readonly name: string
  readonly operations: readonly Operation<Subject>[]
  /** A service of its own, so that lanes can run at once. */
  openLane(): Promise<Lane<Subject>>
  /** Null for anything but the port's own error. */
  seenOf(error: unknown): Seen | null
  /** The codes that a lasting fault may come to; the port's own rule about `transient` decides the rest. */
  readonly codes: Readonly<Record<FaultType, readonly string[]>>
  /** Most attempts of one request, with those for a new token and for corrupt bytes. */
  readonly attemptsMost: number
}
