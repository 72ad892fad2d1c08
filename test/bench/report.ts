// What a benchmark says: rows with a measure and, where one was promised, a target; as a table and as JSON.
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { dirname, join } from 'node:path'

export interface Row {
  readonly name: string
  readonly measured: number
  /** `x` is a ratio, `/s` how many a second. */
  readonly unit: 'x' | '/s' | 'MB' | 'MB/s' | 'bytes' | 'us' | 'ms' | 's' | 'count'
  readonly target: Target | null
  /** The two sides of a ratio, or how the value came about. */
  readonly detail: string
}

/** `true` and `false` are written as `atLeast 1` of a count. */
export type Target = { readonly atLeast: number } | { readonly atMost: number }

export interface Section {
  readonly name: string
  /** A paragraph: what is compared with what, and how. */
  readonly method: string
  readonly rows: readonly Row[]
  readonly seconds: number
}

export function isMet({ measured, target }: Row): boolean {
  if (target === null) return true
  return 'atLeast' in target ? measured >= target.atLeast : measured <= target.atMost
}

export function renderSection({ name, method, rows, seconds }: Section): string {
  const cells = rows.map(row => [
    row.name,
    formatMeasure(row.measured, row.unit),
    row.target === null ? '' : formatTarget(row.target, row.unit),
    row.target === null ? '' : isMet(row) ? 'met' : 'MISSED',
    row.detail,
  ])
  const table = [['', 'measured', 'target', '', ''], ...cells]
  const widths = [0, 1, 2, 3].map(column => Math.max(...table.map(line => line[column]?.length ?? 0)))
  const lines = table.map(line => {
    return line
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 || column === 3 ? cell.padEnd(width) : column < 3 ? cell.padStart(width) : cell
      })
      .join('  ')
      .trimEnd()
  })
  return [`${name} (${Math.round(seconds)} s)`, '', wrapped(method), '', ...lines, ''].join('\n')
}

function formatMeasure(value: number, unit: Row['unit']): string {
  const digits =
    unit === 'bytes' || unit === 'count' || unit === '/s' ? 0 : value < 10 ? 2 : value < 1000 ? 1 : 0
  const number = value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return withUnit(number, unit)
}

function formatTarget(target: Target, unit: Row['unit']): string {
  const [sign, value] = 'atLeast' in target ? ['>=', target.atLeast] : ['<=', target.atMost]
  const number = value.toLocaleString('en-US')
  return `${sign} ${withUnit(number, unit)}`
}

function withUnit(number: string, unit: Row['unit']): string {
  if (unit === 'x' || unit === '/s') return `${number}${unit}`
  return unit === 'count' ? number : `${number} ${unit}`
}

const lineCharacters = 100

function wrapped(paragraph: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of paragraph.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > lineCharacters) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line].join('\n')
}

/** Writes everything to a file of its own and returns its path. */
export function writeReport(startedAt: Date, sections: readonly Section[], isQuick: boolean): string {
  const time = startedAt.toISOString().replaceAll(':', '-').replace(/\..*$/, 'Z')
  const path = join(import.meta.dirname, 'results', `${time}.json`)
  mkdirSync(dirname(path), { recursive: true })
  const met = sections.every(({ rows }) => rows.every(isMet))
  const report = { startedAt: startedAt.toISOString(), met, isQuick, machine: describeMachine(), sections }
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`)
  return path
}

const bytesPerGigabyte = 1024 ** 3

function describeMachine() {
  const cpus = os.cpus()
  return {
    processor: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / bytesPerGigabyte),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    openssl: process.versions.openssl,
    loadAtEnd: os.loadavg().map(load => Number(load.toFixed(2))),
  }
}
