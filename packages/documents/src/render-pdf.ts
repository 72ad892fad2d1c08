// A PDF out of a definition: our own fonts embedded, nothing fetched, no other file read.
//
// The published types of pdfmake bring those of a browser into the whole program; what is used of it is written down here.
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'

type Margin = readonly [left: number, top: number, right: number, bottom: number]

interface Style {
  readonly fontSize?: number
  readonly bold?: boolean
  readonly italics?: boolean
  readonly color?: string
  readonly alignment?: 'left' | 'right'
  readonly margin?: Margin
}

export type Content =
  | string
  | readonly Content[]
  | (Style & { readonly text: string; readonly noWrap?: boolean; readonly colSpan?: number })
  | (Style & {
      readonly stack: readonly Content[]
      readonly unbreakable?: boolean
      readonly pageBreak?: 'before'
    })
  | (Style & { readonly columns: readonly Content[] })
  | (Style & { readonly svg: string })
  | (Style & { readonly layout: TableLayout; readonly table: Table })

interface Table {
  /** Rows that stand on every page. */
  readonly headerRows: number
  readonly keepWithHeaderRows: number
  readonly dontBreakRows: boolean
  readonly widths: readonly (number | '*' | 'auto')[]
  readonly body: readonly (readonly Content[])[]
}

/** Lines are numbered from above the first row. */
export interface TableLayout {
  readonly hLineWidth: (line: number, node: { readonly table: Table }) => number
  readonly hLineColor: (line: number, node: { readonly table: Table }) => string
  readonly vLineWidth: () => number
  readonly paddingLeft: () => number
  readonly paddingRight: () => number
  readonly paddingTop: () => number
  readonly paddingBottom: () => number
}

export interface Definition {
  readonly pageSize: 'LETTER'
  readonly pageOrientation: 'landscape'
  readonly pageMargins: Margin
  readonly version: '1.7'
  readonly language: string
  readonly displayTitle: boolean
  readonly info: Readonly<Record<'title' | 'subject' | 'creator' | 'producer', string>> & {
    readonly creationDate: Date
  }
  readonly header: Content
  readonly footer: (page: number, pages: number) => Content
  readonly defaultStyle: Style & { readonly font: 'Roboto'; readonly lineHeight: number }
  readonly content: readonly Content[]
}

interface PdfMaker {
  setFonts(fonts: unknown): void
  setUrlAccessPolicy(allows: (url: string) => boolean): void
  setLocalAccessPolicy(allows: (path: string) => boolean): void
  createPdf(definition: Definition): { getBuffer(): Promise<Uint8Array> }
}

const require = createRequire(import.meta.url)
const maker = require('pdfmake') as PdfMaker
const fontFolder = `${dirname(require.resolve('pdfmake/fonts/Roboto.js'))}${sep}`

maker.setFonts(require('pdfmake/fonts/Roboto.js'))
maker.setUrlAccessPolicy(() => false)
maker.setLocalAccessPolicy(path => path.startsWith(fontFolder))

export async function renderPdf(definition: Definition): Promise<Uint8Array> {
  return new Uint8Array(await maker.createPdf(definition).getBuffer())
}
