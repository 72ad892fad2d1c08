export { startWorker, type WorkerParts } from './service.ts'
