// Which wraps and unwraps were asked for, by what they are bound to: whoever pays for each call wants to know what for.

export interface Binding {
  readonly method: string
  /** The name of the key. */
  readonly key: string
  /** Base64. */
  readonly additionalData: string
  readonly calls: number
}

export interface Bindings {
  /** Refused calls count too; a method without additional data passes by. */
  note(method: string, key: string, request: { readonly additionalAuthenticatedData?: unknown }): void
  /** In the order in which they were first asked for. */
  list(): readonly Binding[]
  clear(): void
}

export function createBindings(): Bindings {
  const noted = new Map<string, Binding>()
  return {
    note(method, key, { additionalAuthenticatedData: data }) {
      if (!(data instanceof Uint8Array)) return
      const additionalData = Buffer.from(data).toString('base64')
      const id = `${method} ${key} ${additionalData}`
      noted.set(id, { method, key, additionalData, calls: (noted.get(id)?.calls ?? 0) + 1 })
    },
    list: () => [...noted.values()],
    clear: () => noted.clear(),
  }
}
