/** From a state and a block to the next state, and from a state to bytes, root and proofs. */
export { executeBlock } from './execute-block.ts';
export { genesisState } from './genesis-state.ts';
export { settlementContext } from './settlement.ts';
export { decodeState, encodeState, type NamedLeaf, stateLeaves } from './state-codec.ts';
export { type AccountProof, accountProof, stateRoot, verifyAccountProof } from './state-root.ts';
