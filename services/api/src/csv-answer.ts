// A report as JSON, or as CSV for a spreadsheet, as `format` or `Accept` has it.
import type { Request, Response } from 'express'

/** `format` goes before `Accept`. */
export function wantsCsv(request: Request, response: Response, format: 'json' | 'csv' | undefined): boolean {
  response.vary('Accept')
  if (format !== undefined) return format === 'csv'
  return request.accepts(['application/json', 'text/csv']) === 'text/csv'
}

export function sendCsv(
  response: Response,
  { name, csv }: { readonly name: string; readonly csv: string },
): void {
  response.type('text/csv; charset=utf-8; header=present').attachment(`${name}.csv`).send(csv)
}
