// What the provider accepts, as far as we use it: the shape of `provider-schema.json`.

export type Kind =
  | { readonly kind: 'string' | 'number' | 'boolean' | 'list' | 'map' }
  | { readonly kind: 'block'; readonly many: boolean; readonly arguments: Arguments }

export type Argument = Kind & { readonly required: boolean }

export type Arguments = Readonly<Record<string, Argument>>

export interface BlockType {
  readonly arguments: Arguments
  /** What may be read of it. */
  readonly attributes: readonly string[]
}

export interface ProviderSchema {
  /** The package and version that it was taken from. */
  readonly source: string
  readonly provider: Arguments
  readonly resources: Readonly<Record<string, BlockType>>
  readonly data: Readonly<Record<string, BlockType>>
}
