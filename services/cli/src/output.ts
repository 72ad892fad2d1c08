// What a command prints: a table or sentence for people, JSON for programs, never both.
import { type Column, formatTable } from './table.ts'

export interface Output {
  readonly json: boolean
  /** Rows as a table, or as one JSON document. `empty` is what people see when there are none. */
  rows<Row>(rows: readonly Row[], columns: readonly Column<NoInfer<Row>>[], empty: string): void
  /** One thing: its sentence for people, or itself as JSON. */
  value(value: unknown, sentence: string): void
  /** A document as it is, down to its last line end. */
  document(text: string): void
  /** A remark for people; silent with `--json`. */
  say(sentence: string): void
}

export function createOutput(json: boolean, stdout: NodeJS.WritableStream = process.stdout): Output {
  const print = (text: string) => stdout.write(`${text}\n`)
  return {
    json,
    rows(rows, columns, empty) {
      if (json) print(JSON.stringify(rows, null, 2))
      else print(rows.length === 0 ? empty : formatTable(columns, rows))
    },
    value(value, sentence) {
      print(json ? JSON.stringify(value, null, 2) : sentence)
    },
    document: text => {
      stdout.write(text)
    },
    say: sentence => {
      if (!json) print(sentence)
    },
  }
}
