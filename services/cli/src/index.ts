export { createProgram, type ProgramParts } from './program.ts'
