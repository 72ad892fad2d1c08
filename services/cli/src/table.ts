// Rows for people: columns as wide as their widest cell, headings above, nothing to draw around them.

export interface Column<Row> {
  readonly title: string
  readonly align?: 'left' | 'right'
  cell(row: Row): string
}

const gap = '  '

/** Lines without a final newline. Control characters in cells (a caller's name may hold anything) are shown, not sent. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [
    columns.map(({ title }) => title.toUpperCase()),
    ...rows.map(row => columns.map(({ cell }) => visible(cell(row)))),
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map(line => width(line[index] ?? ''))))
  return cells.map(line => formatLine(line, widths, columns)).join('\n')
}

function formatLine<Row>(
  line: readonly string[],
  widths: readonly number[],
  columns: readonly Column<Row>[],
): string {
  const padded = line.map((cell, index) => {
    const fill = ' '.repeat((widths[index] ?? 0) - width(cell))
    return columns[index]?.align === 'right' ? fill + cell : cell + fill
  })
  return padded.join(gap).trimEnd()
}

const width = (text: string) => [...text].length

/** Replaces what a terminal would obey or what would break the line. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')
}
