// Rows as CSV (RFC 4180) that a spreadsheet shows and never computes.

/** Each column by its heading; null is an empty cell. */
export type CsvColumns<Row> = Readonly<Record<string, (row: Row) => string | null>>

/** Lines end in CRLF, the last one too; every cell is quoted. */
export function formatCsv<Row>(columns: CsvColumns<Row>, rows: readonly Row[]): string {
  const cells = Object.values(columns)
  const lines = [Object.keys(columns), ...rows.map(row => cells.map(cell => cell(row) ?? ''))]
  return lines.map(line => `${line.map(quoted).join(',')}\r\n`).join('')
}

/** What a spreadsheet takes for a formula, also in its full-width forms and behind what it trims. */
const formula = /^[\s\p{Cc}\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20|%]/u
/** Tab and line ends begin a cell of their own where a line is pasted. */
const breaking = /^[\t\r\n]/

function quoted(text: string): string {
  const shown = formula.test(text) || breaking.test(text) ? `'${text}` : text
  return `"${shown.replaceAll('"', '""')}"`
}
