// Puts the receipts of a request's events into its answer: who asked can prove that the log must hold them.
import type { EventWriter } from '@auricle/vault'
import type { Response } from 'express'

const headerName = 'X-Auricle-Receipt'
/** A list may stand for several events; headers have an end. */
const receiptsMost = 4

export interface Receipts extends Disposable {
  /** From now on, until it is over, what is given for this request goes into this answer. */
  track(request: string, response: Response): void
}

export function createReceipts(writer: Pick<EventWriter, 'onReceipt'>): Receipts {
  const answers = new Map<string, { readonly response: Response; count: number }>()
  const listening = writer.onReceipt(({ request, note }) => {
    const answer = request === null ? undefined : answers.get(request)
    if (answer === undefined || answer.response.headersSent || answer.count >= receiptsMost) return
    answer.count++
    answer.response.append(headerName, Buffer.from(note).toString('base64'))
  })
  return {
    track(request, response) {
      answers.set(request, { response, count: 0 })
      response.on('close', () => answers.delete(request))
    },
    [Symbol.dispose]() {
      listening[Symbol.dispose]()
    },
  }
}
