/** Who proposes, decided by exact integer draws from a seed that nobody can know before the weights are fixed. */
export { beaconMessage, combineSeed, type Seed, seedOfSignature, verifySeedSignature } from './beacon.ts';
export {
  type ElectionEntry,
  type ElectionInput,
  electionList,
  electionListOf,
  proposerAt,
  seedOf,
} from './election-list.ts';
export { ElectionError, type ElectionErrorCode } from './errors.ts';
