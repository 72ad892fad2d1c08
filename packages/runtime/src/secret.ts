// A value that may be used but not shown: it prints, logs and serialises as a placeholder.
import { inspect } from 'node:util'

const placeholder = '[secret]'

export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Hand it straight to whom it is for. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return placeholder
  }

  toJSON(): string {
    return placeholder
  }

  [inspect.custom](): string {
    return placeholder
  }
}
