// A line on a terminal that says how far long work has come; nothing where stderr is no terminal.
import { formatBytes } from './format.ts'

const redrawMs = 100

export interface Progress extends Disposable {
  update(done: { readonly items: number; readonly bytes: number; readonly bad?: number }): void
}

/** `label 1,204 objects  3.1 GB  120 MB/s`. Disposing ends the line. */
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
    update({ items, bytes, bad = 0 }) {
      const now = performance.now()
      const seconds = (now - startedMs) / 1000
      const rate = seconds > 0 ? `${formatBytes(bytes / seconds)}/s` : ''
      last = `${label} ${items.toLocaleString('en')} ${noun}  ${formatBytes(bytes)}  ${rate}${bad > 0 ? `  ${bad} bad` : ''}`
      if (!stream.isTTY || now - drawnMs < redrawMs) return
      drawnMs = now
      draw(last)
    },
    [Symbol.dispose]() {
      if (stream.isTTY && last !== '') draw(`${last}\n`)
    },
  }
}
