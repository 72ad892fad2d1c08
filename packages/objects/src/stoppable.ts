// A source that an abort ends at once.

/** The source, ended by an abort at once even where the source itself is waiting for something. */
export async function* stoppable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (signal === undefined) {
    yield* source
    return
  }
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let isOpen = true
  try {
    for (;;) {
      const result = await nextOrAbort(iterator, signal).catch((error: unknown) => {
        isOpen = signal.aborted
        throw error
      })
      isOpen = result.done !== true
      if (result.done === true) return
      yield result.value
    }
  } finally {
    if (isOpen) await stop(iterator, signal)
  }
}

function nextOrAbort(
  iterator: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): Promise<IteratorResult<Uint8Array>> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = <T>(deliver: (value: T) => void): ((value: T) => void) => {
      return value => {
        signal.removeEventListener('abort', onAbort)
        deliver(value)
      }
    }
    iterator.next().then(settle(resolve), settle(reject))
  })
}

async function stop(iterator: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<void> {
  const stopping = iterator.return?.()
  if (!signal.aborted) {
    await stopping
    return
  }
  // After an abort the source may never answer: it is told to stop, not waited for, and the abort is the
  // outcome whatever it still says.
  const ignore = (): void => undefined
  stopping?.then(ignore, ignore)
}
