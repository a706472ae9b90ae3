import {
  ChainMemory,
  type ChainState,
  conservationFaults,
  decodeBlock,
  decodeCertificate,
  decodeState,
  blockHash as hashOf,
  isLastSlotOfTerm,
  stateRoot,
  verifyBlock,
  verifyCertificate,
} from '@wattmesh/consensus';
import type { InspectedChain } from './inspected-chain.ts';

export interface VerificationProblem {
  readonly height: number;
  /** Which part failed: a check of the protocol, or `certificate`, `kept-state`, `conservation`, `stored-bytes`. */
  readonly check: string;
  readonly code: string;
  readonly message: string;
}

export interface Verification {
  readonly label: string;
  readonly chainId: string;
  readonly head: number;
  /** Heights that passed everything. */
  readonly verifiedHeights: number;
  readonly transactions: number;
  readonly votes: number;
  readonly beaconShares: number;
  /** Heights whose kept state was compared with the one that execution gives. */
  readonly keptStates: number;
  readonly stateRoot: string | null;
  /** The first thing that is wrong; verification ends there. */
  readonly problem: VerificationProblem | null;
}

/**
 * Verifies a chain from genesis as a new peer would: every check of protocol section 5 on every block, execution, state
 * roots, evidence decided again, every signature and beacon share of the kept certificates, conservation of every asset, and the states that the
 * peer keeps. `onHeight` is told of each height that passed.
 */
export async function verifyChain(
  chain: InspectedChain,
  onHeight: (height: number) => void = () => undefined,
): Promise<Verification> {
  let state = await chain.stateAfter(0);
  const memory = ChainMemory.ofWalk(chain.rules);
  const counts = { transactions: 0, votes: 0, beaconShares: 0, keptStates: 0 };
  for (let height = 1; height <= chain.head; height += 1) {
    const step = await verifyHeight(chain, memory, state, height, counts);
    if ('problem' in step) return reportOf(chain, height - 1, counts, state, step.problem);
    state = step.state;
    onHeight(height);
  }
  return reportOf(chain, chain.head, counts, state, null);
}

type Counts = { transactions: number; votes: number; beaconShares: number; keptStates: number };

async function verifyHeight(
  chain: InspectedChain,
  memory: ChainMemory,
  parent: ChainState,
  height: number,
  counts: Counts,
): Promise<{ readonly state: ChainState } | { readonly problem: VerificationProblem }> {
  const { rules, source } = chain;
  const fail = (check: string, code: string, message: string) => ({ problem: { height, check, code, message } });
  const stored = await source.block(height).catch((error: Error) => error);
  if (stored instanceof Error) return fail('stored-bytes', codeOf(stored), stored.message);
  if (stored === null) return fail('stored-bytes', 'INSPECT_NO_SUCH_BLOCK', 'the block or its certificate is missing');
  try {
    const block = decodeBlock(stored.block);
    const certificate = decodeCertificate(stored.certificate);
    const hash = hashOf(block.header);
    const verdict = verifyBlock(rules, parent, block, hash, stored.block.length, memory);
    if (!verdict.ok) return fail(verdict.rejection.check, verdict.rejection.code, verdict.rejection.message);
    if (certificate.height !== height || certificate.blockHash !== hash)
      return fail(
        'certificate',
        'CERTIFICATE_OTHER_BLOCK',
        `the certificate decides ${certificate.blockHash} at height ${certificate.height}`,
      );
    const { kind, slot, term } = block.header;
    const seeds = kind === 'settlement' && isLastSlotOfTerm(rules.genesis, slot);
    verifyCertificate(rules, certificate, seeds ? term + 1 : null);
    const [fault] = conservationFaults(verdict.state.ledger);
    if (fault !== undefined) return fail('conservation', 'LEDGER_NOT_CONSERVED', fault);
    const kept = await source.state(height);
    if (kept !== null) {
      const root = stateRoot(rules, decodeState(rules, kept));
      if (root !== block.header.stateRoot)
        return fail(
          'kept-state',
          'BLOCK_WRONG_STATE_ROOT',
          `the kept state has root ${root}, the block promises ${block.header.stateRoot}`,
        );
      counts.keptStates += 1;
    }
    memory.add({ state: verdict.state, certificate });
    counts.transactions += block.batches.reduce((sum, { operations }) => sum + operations.length, 0);
    counts.votes += certificate.votes.length;
    counts.beaconShares += seeds ? certificate.votes.length : 0;
    return { state: verdict.state };
  } catch (error) {
    return fail(
      error instanceof Error && error.name === 'CertificateError' ? 'certificate' : 'stored-bytes',
      codeOf(error),
      (error as Error).message,
    );
  }
}

function reportOf(
  chain: InspectedChain,
  verifiedHeights: number,
  counts: Counts,
  state: ChainState,
  problem: VerificationProblem | null,
): Verification {
  const { rules, source, head } = chain;
  return {
    label: source.label,
    chainId: rules.chainId,
    head,
    verifiedHeights,
    ...counts,
    stateRoot: state.height === 0 ? null : stateRoot(rules, state),
    problem,
  };
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : 'INSPECT_CHAIN_INVALID';
}
