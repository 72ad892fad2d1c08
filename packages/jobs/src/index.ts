export type { JobHandler, JobQueue } from './queue.ts'
