// What a run found: each check with its answer, printed as it is made, and the exit code of the whole.

export interface Verdict {
  /** `detail` says what was counted, right or wrong. */
  check(isRight: boolean, claim: string, detail?: string): void
  readonly wrong: number
  /** Prints the last line and leaves the exit code on the process. */
  finish(name: string): void
}

export function createVerdict(): Verdict {
  let right = 0
  let wrong = 0
  return {
    check(isRight, claim, detail) {
      if (isRight) right++
      else wrong++
      say(`${isRight ? 'ok   ' : 'WRONG'}  ${claim}${detail === undefined ? '' : `: ${detail}`}`)
    },
    get wrong() {
      return wrong
    },
    finish(name) {
      say(`\n${name}: ${right} checks right, ${wrong} wrong`)
      if (wrong > 0) process.exitCode = 1
    },
  }
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Columns as wide as they need to be; the first to the left, numbers to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)),
  )
  for (const row of [head, ...rows]) {
    say(
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
  }
}

const mebibyte = 2 ** 20

export function mebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}
