// Waits for something that others wait for, too: who aborts stops waiting, and the rest still get it.

export async function abortable<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return promise
  if (signal.aborted) {
    // Somebody has to have listened, should it fail later.
    promise.catch(() => {})
    throw signal.reason
  }
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
