// Sizes, lengths of time and moments as people read them.

const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const
const step = 1000

/** `812 B`, `1.4 MB`: decimal units, one digit after the point below 10. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= step && unit < units.length - 1) {
    value /= step
    unit++
  }
  const digits = unit > 0 && value < 10 ? 1 : 0
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`
}

/** `0:31`, `1:02:07`; a dash where it is not known. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return '-'
  const seconds = Math.round(ms / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  const rest = two(seconds % 60)
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`
}

/** `2026-11-22 14:03` in the local time of the person at the keyboard. */
export function formatTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`
}

/** `1 recording`, `1,204 recordings`. */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
