// Bars as vectors: each series a shade that grey paper tells apart, with its words beside it and its numbers on it.

export interface Series {
  readonly name: string
  /** One value for each bar. */
  readonly values: readonly number[]
}

export interface Bars {
  readonly labels: readonly string[]
  /** From the foot of a bar up, or from the left. */
  readonly series: readonly Series[]
  readonly format: (value: number) => string
}

interface Size {
  readonly width: number
  readonly height: number
}

/** Darkest first, each lighter than the one before by as much. */
const shades = ['#14213d', '#34466b', '#576a91', '#7c8fb3', '#a3b4d0', '#c8d5e8', '#e9eff8']
const ink = '#1a1a1a'
const faint = '#9a9a9a'
const textSize = 7.5
const characterWidth = textSize * 0.55
/** Shades up to this one carry white numbers. */
const darkShades = 4
const legendHeight = 16

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

/** Of few series the darkest and lightest are told apart best. */
function shadeOf(index: number, of: number): { readonly fill: string; readonly isDark: boolean } {
  const step = of <= 1 ? 0 : Math.round((index * (shades.length - 2)) / (of - 1))
  const place = of >= shades.length ? index : step
  return { fill: shades[place] ?? ink, isDark: place < darkShades }
}

function words(
  x: number,
  y: number,
  text: string,
  { anchor = 'start', fill = ink }: { anchor?: 'start' | 'middle' | 'end'; fill?: string } = {},
): string {
  return `<text x="${x}" y="${y}" font-family="Roboto" font-size="${textSize}" fill="${fill}" text-anchor="${anchor}">${escaped(text)}</text>`
}

const box = (x: number, y: number, width: number, height: number, fill: string): string =>
  `<rect x="${x}" y="${y}" width="${Math.max(0, width)}" height="${Math.max(0, height)}" fill="${fill}" stroke="${ink}" stroke-width="0.4"/>`

const svg = ({ width, height }: Size, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${parts.join('')}</svg>`

function legend(series: readonly Series[], y: number): readonly string[] {
  let x = 0
  return series.flatMap(({ name }, index) => {
    const at = x
    x += 14 + name.length * characterWidth + 14
    return [box(at, y, 9, 9, shadeOf(index, series.length).fill), words(at + 13, y + 7.5, name)]
  })
}

const totals = ({ labels, series }: Bars): readonly number[] =>
  labels.map((_, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0))

/** Upright, one for each label, the sum above each. */
export function columns(bars: Bars, size: Size): string {
  const { labels, series, format } = bars
  const sums = totals(bars)
  const most = Math.max(1, ...sums)
  const foot = size.height - 16
  const head = legendHeight + 14
  const step = size.width / Math.max(1, labels.length)
  const scale = (foot - head) / most
  const parts = labels.flatMap((label, index) => {
    const x = index * step + step * 0.15
    let y = foot
    const boxes = series.flatMap(({ values }, number) => {
      const height = (values[index] ?? 0) * scale
      y -= height
      return height === 0 ? [] : [box(x, y, step * 0.7, height, shadeOf(number, series.length).fill)]
    })
    const middle = index * step + step / 2
    const sum = sums[index] ?? 0
    return [
      ...boxes,
      words(middle, y - 3, sum === 0 ? '' : format(sum), { anchor: 'middle' }),
      words(middle, size.height - 5, label, { anchor: 'middle' }),
    ]
  })
  const line = `<line x1="0" y1="${foot}" x2="${size.width}" y2="${foot}" stroke="${faint}" stroke-width="0.6"/>`
  return svg(size, [...(series.length > 1 ? legend(series, 0) : []), line, ...parts])
}

const rowHeight = 17
const labelWidth = 190
/** Wide letters by their width, all others by the usual one. */
const widthOf = (text: string): number =>
  [...text].reduce((sum, letter) => sum + (/[MWmw@%&…]/u.test(letter) ? textSize : characterWidth), 0)

function shortened(text: string): string {
  const most = labelWidth - 8
  if (widthOf(text) <= most) return text
  let kept = [...text]
  while (widthOf(kept.join('')) + textSize > most) kept = kept.slice(0, -1)
  return `${kept.join('').trimEnd()}…`
}

/** Lying, one under the other; each as long as its sum. */
export function rows(bars: Bars, width: number): string {
  const { labels, series, format } = bars
  const sums = totals(bars)
  const most = Math.max(1, ...sums)
  const scale = (width - labelWidth - 60) / most
  const parts = labels.flatMap((label, index) => {
    const y = legendHeight + index * rowHeight
    let x = labelWidth
    const boxes = series.flatMap(({ values }, number) => {
      const value = values[index] ?? 0
      const length = value * scale
      const at = x
      x += length
      if (length === 0) return []
      const { fill, isDark } = shadeOf(number, series.length)
      const text = format(value)
      const fits = text.length * characterWidth + 4 < length
      const on = words(at + length / 2, y + 9.5, text, { anchor: 'middle', fill: isDark ? '#ffffff' : ink })
      return [box(at, y, length, rowHeight - 5, fill), ...(fits ? [on] : [])]
    })
    return [words(0, y + 9.5, shortened(label)), ...boxes, words(x + 5, y + 9.5, format(sums[index] ?? 0))]
  })
  const height = legendHeight + labels.length * rowHeight + 4
  return svg({ width, height }, [...legend(series, 0), ...parts])
}
