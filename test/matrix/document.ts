// The operations that a started service describes, each of which the table must know.
import { type OperationLine, operationLines } from './table.ts'

/** What is read of a document, whose form the service's own tests hold. */
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}
interface Operation {
  readonly operationId: string
  readonly 'x-auricle-needs': string
  readonly requestBody?: object
  readonly parameters: readonly { readonly name: string; readonly required: boolean }[]
}

export interface Described {
  readonly operation: string
  readonly method: string
  readonly path: string
  readonly needs: string
  /** Names in the path and of queries without which it is malformed. */
  readonly asks: readonly string[]
  readonly takesBody: boolean
  readonly takesPurpose: boolean
  readonly lines: readonly OperationLine[]
}

/** Throws, with a sentence for each, where the document and the table do not know the same operations. */
export function readDocument(json: unknown, lines = operationLines): readonly Described[] {
  const { paths } = json as Document
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters, requestBody, ...rest }]) => ({
      operation: operationId,
      method: method.toUpperCase(),
      path,
      needs: rest['x-auricle-needs'],
      asks: parameters.filter(({ required }) => required).map(({ name }) => name),
      takesBody: requestBody !== undefined,
      takesPurpose: parameters.some(({ name }) => name === 'purpose'),
      lines: lines.filter(({ operation }) => operation === operationId),
    })),
  )
  const known = new Set(described.map(({ operation }) => operation))
  const wrong = [
    ...described
      .filter(one => one.lines.length === 0)
      .map(one => `${one.operation} (${one.method} ${one.path}) is not in the table of operations.`),
    ...described
      .filter(one => one.lines.some(({ needs }) => needs !== one.needs))
      .map(one => `${one.operation} needs ${one.needs} by its document, and something else by the table.`),
    ...lines
      .filter(({ operation }) => !known.has(operation))
      .map(({ operation }) => `${operation} is in the table of operations, and in no document.`),
  ]
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return described
}
