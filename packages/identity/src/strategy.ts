// A passport strategy made of one function from a request to an outcome.
import passport from 'passport'
import type { HttpRequest } from './http-request.ts'

export type Outcome<Result extends object> =
  | { readonly type: 'success'; readonly result: Result }
  /** `challenge`: the `WWW-Authenticate` header that says what to send. */
  | { readonly type: 'failure'; readonly challenge: string }

/** `attempt` throws where it cannot tell, which is neither success nor failure. */
export function createStrategy<Result extends object>(
  name: string,
  attempt: (request: HttpRequest) => Promise<Outcome<Result>>,
): passport.Strategy {
  return new FunctionStrategy(name, attempt)
}

class FunctionStrategy<Result extends object> extends passport.Strategy {
  override readonly name: string
  // Not `#private`: passport calls methods on objects that only inherit from the strategy.
  readonly attempt: (request: HttpRequest) => Promise<Outcome<Result>>

  constructor(name: string, attempt: (request: HttpRequest) => Promise<Outcome<Result>>) {
    super()
    this.name = name
    this.attempt = attempt
  }

  override authenticate(
    this: passport.StrategyCreated<FunctionStrategy<Result>>,
    request: HttpRequest,
  ): Promise<void> {
    // Taken before anything is awaited: passport 0.7 sets these anew for each request, on the strategy itself where
    // it was handed over as an object. Read later, they could answer another request with this one's person.
    const { success, fail, error } = this
    return this.attempt(request).then(outcome => {
      if (outcome.type === 'success') success(outcome.result)
      else fail(outcome.challenge)
    }, error)
  }
}
