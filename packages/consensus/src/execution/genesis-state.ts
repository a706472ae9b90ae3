import type { ChainRules, ChainState } from '../chain/state.ts';
import { genesisLedger } from '../ledger/genesis.ts';

/** The state at height 0: the bootstrap slot is open, the list is uniform with the chain id as seed. */
export function genesisState({ genesis, chainId, application }: ChainRules): ChainState {
  return {
    height: 0,
    blockHash: chainId,
    chainTimeMs: genesis.genesisTimeMs,
    term: 0,
    slot: 0,
    phase: 'open',
    election: { candidates: [], first: null, seed: chainId, demoted: [] },
    ledger: genesisLedger(genesis),
    discipline: { jailedThrough: genesis.members.map(() => 0), punished: [], outcomes: [] },
    app: application.genesisState(genesis),
  };
}
