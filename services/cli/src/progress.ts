// A line on a terminal that says how far long work has come; nothing where stderr is no terminal.
import { formatBytes } from './format.ts'

const redrawMs = 100

export interface Progress extends Disposable {
  /** `total` of things that are counted and not weighed. */
  update(done: {
    readonly items: number
    readonly total?: number
    readonly bytes?: number
    readonly bad?: number
  }): void
}

/** `label 1,204 objects  3.1 GB  120 MB/s`, `label 1,204 of 5,000 events  61,000/s`. Disposing ends the line. */
export function startProgress(
  label: string,
  noun: string,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const startedMs = performance.now()
  let drawnMs = 0
  let last = ''
  const draw = (line: string) => stream.write(`\r\u{1B}[K${line}`)
  return {
    update({ items, total, bytes, bad = 0 }) {
      const now = performance.now()
      const seconds = (now - startedMs) / 1000
      const count =
        items.toLocaleString('en') + (total === undefined ? '' : ` of ${total.toLocaleString('en')}`)
      const weight = bytes === undefined ? '' : `  ${formatBytes(bytes)}`
      const speed =
        bytes === undefined ? Math.round(items / seconds).toLocaleString('en') : formatBytes(bytes / seconds)
      const rate = seconds > 0 ? `  ${speed}/s` : ''
      last = `${label} ${count} ${noun}${weight}${rate}${bad > 0 ? `  ${bad} bad` : ''}`
      if (!stream.isTTY || now - drawnMs < redrawMs) return
      drawnMs = now
      draw(last)
    },
    [Symbol.dispose]() {
      if (stream.isTTY && last !== '') draw(`${last}\n`)
    },
  }
}
