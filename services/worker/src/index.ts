export { openAudioTool } from './audio-tool.ts'
export { type Loop, startLoop } from './loop.ts'
export { startWorker, type WorkerParts } from './service.ts'
