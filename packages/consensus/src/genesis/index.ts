/** What a chain starts from, its rules, its bytes and its identity. */
export { GenesisError, type GenesisErrorCode } from './errors.ts';
export { chainIdOf, decodeGenesis, encodeGenesis, MAX_CHAIN_NAME, MAX_PARAMETER_BYTES } from './genesis.ts';
export { genesisFromJson, genesisToJson } from './genesis-json.ts';
export { validateGenesis } from './validate-genesis.ts';
