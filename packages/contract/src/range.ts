// A range of bytes: `start` inclusive, `end` exclusive. HTTP's inclusive ends are converted at the border.

export interface ByteRange {
  readonly start: number
  readonly end: number
}
