export type { AudioFormat, AudioTool, RenderFacts, Rendition } from './audio-tool.ts'
export { AudioError, type AudioErrorCode } from './error.ts'
