// Every connector kind there is, by name.
import type { PbxConnector } from './connector.ts'
import { standard } from './standard.ts'
import { upload } from './upload.ts'

export const connectors = { standard, upload } as const
export type ConnectorKind = keyof typeof connectors

/** Null where there is no such kind. The secrets that the result takes are those its own `parseSecrets` returned. */
export function findConnector(kind: string): PbxConnector<unknown> | null {
  return Object.values<PbxConnector<unknown>>(connectors).find(connector => connector.kind === kind) ?? null
}
