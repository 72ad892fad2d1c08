export { openAudioTool } from './audio-tool.ts'
export { startWorker, type WorkerParts } from './service.ts'
