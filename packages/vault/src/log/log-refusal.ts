// Why a log is not signed, not sealed or not published: what is there does not fit what was said of it before.

/**
 * `truncated`: write-once storage has a larger tree than the database. `forked`: another one. `unpublished`: a checkpoint
 * that was published is not in write-once storage. `conflict`: an object there has other bytes than the ones to be put.
 * `incomplete`: leaves or hashes are missing in the database, or are others than were sealed. `renamed`: the log goes by
 * another name than the configuration has.
 */
export type LogRefusalCode = 'truncated' | 'forked' | 'unpublished' | 'conflict' | 'incomplete' | 'renamed'

/** Never passes by itself: somebody has to look. */
export class LogRefusal extends Error {
  override readonly name = 'LogRefusal'
  readonly code: LogRefusalCode
  constructor(code: LogRefusalCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
