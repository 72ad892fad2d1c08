export type { Action, Actor, Decide, Decision, Resource, Role } from './actor.ts'
