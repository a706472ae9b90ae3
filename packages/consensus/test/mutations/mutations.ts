import type { Mutation } from './mutation.ts';
import { ENGINE, PEER, SHELL } from './mutations-of-peers.ts';
import { CHECKS, RULES } from './mutations-of-rules.ts';

export const MUTATIONS: readonly Mutation[] = [...ENGINE, ...PEER, ...CHECKS, ...RULES, ...SHELL];
