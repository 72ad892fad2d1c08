export { RetentionError, type RetentionErrorCode } from './error.ts'
export { explainRetention, keepDaysBounds, type RetentionFacts, retainUntil } from './keep-at-least.ts'
