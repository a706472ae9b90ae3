import {
  type Block,
  batchHash,
  blockHash,
  type Certificate,
  ChainMemory,
  type ChainRules,
  type ChainState,
  chainIdOf,
  conservationFaults,
  createApplication,
  createSignatureScheme,
  createThresholdScheme,
  decodeBlock,
  decodeCertificate,
  electionListOf,
  type Genesis,
  genesisState,
  isLastSlotOfTerm,
  type PosocDescription,
  rememberCombinations,
  rememberSignatures,
  type SettlementDescription,
  settlementContext,
  verifyBlock,
  verifyCertificate,
} from '@wattmesh/consensus';
import type { LabEventBody } from './events.ts';
import { evSettlement, prosumerSettlement } from './settlement-events.ts';

export interface AuditFinding {
  readonly check: 'validity' | 'certificates' | 'chain-time' | 'conservation';
  readonly height: number;
  readonly message: string;
}

export interface AuditedBlock {
  readonly height: number;
  readonly hash: string;
  readonly block: Block;
  readonly events: readonly LabEventBody[];
  readonly batchHashes: readonly string[];
  readonly findings: readonly AuditFinding[];
}

/**
 * Executes a chain from its genesis, block by block, as a new peer would, with this program's own rules: a settlement is
 * computed again and compared, a certificate's votes are verified, every asset is counted. What the peers accepted among
 * themselves counts for nothing here.
 */
export class ChainAuditor {
  readonly #rules: ChainRules;
  readonly #names: readonly string[];
  readonly #openingStakeMicro: readonly bigint[];
  readonly #memory: ChainMemory;
  #state: ChainState;
  #isBroken = false;
  #drawnTerm = 0;

  constructor(genesis: Genesis, names: readonly string[]) {
    const signatures = rememberSignatures(createSignatureScheme(), 50_000);
    this.#rules = {
      genesis,
      chainId: chainIdOf(genesis),
      application: createApplication(genesis, signatures),
      signatures,
      threshold: rememberCombinations(createThresholdScheme(), 16),
    };
    this.#names = names;
    this.#state = genesisState(this.#rules);
    this.#memory = ChainMemory.ofWalk(this.#rules);
    this.#openingStakeMicro = genesis.members.map(({ stakeMicro }) => stakeMicro);
  }

  get height(): number {
    return this.#state.height;
  }

  /** False after a block that the rules refuse: nothing can be executed on top of it. */
  get canGoOn(): boolean {
    return !this.#isBroken;
  }

  /** Judges the next block of a chain. */
  audit(bytes: Uint8Array, certificateBytes: Uint8Array): AuditedBlock {
    const parent = this.#state;
    const height = parent.height + 1;
    const findings: AuditFinding[] = [];
    const find = (check: AuditFinding['check'], message: string): void =>
      void findings.push({ check, height, message });
    const block = decodeBlock(bytes);
    const hash = blockHash(block.header);
    const verdict = verifyBlock(this.#rules, parent, block, hash, bytes.length, this.#memory);
    const certificate = this.#auditCertificate(block, hash, certificateBytes, find);
    this.#auditChainTime(parent, block, find);
    const events: LabEventBody[] = [];
    if (!verdict.ok) {
      this.#isBroken = true;
      find('validity', `${verdict.rejection.code} (${verdict.rejection.check}): ${verdict.rejection.message}`);
    } else {
      this.#state = verdict.state;
      this.#memory.add({ state: verdict.state, certificate });
      for (const fault of conservationFaults(verdict.state.ledger)) find('conservation', fault);
      events.push(...this.#penalties(parent, verdict.state));
      events.push(...this.#describe(parent, block, hash, bytes.length));
    }
    return { height, hash, block, events, batchHashes: block.batches.map(batchHash), findings };
  }

  /** The certificate, or null for one that does not hold. */
  #auditCertificate(
    { header }: Block,
    hash: string,
    bytes: Uint8Array,
    find: (check: AuditFinding['check'], message: string) => void,
  ): Certificate | null {
    try {
      const certificate = decodeCertificate(bytes);
      if (certificate.height !== header.height || certificate.blockHash !== hash)
        find('certificates', `the certificate decides ${certificate.blockHash.slice(0, 16)} at ${certificate.height}`);
      const isSeeding = header.kind === 'settlement' && isLastSlotOfTerm(this.#rules.genesis, header.slot);
      verifyCertificate(this.#rules, certificate, isSeeding ? header.term + 1 : null);
      return certificate;
    } catch (error) {
      find('certificates', (error as Error).message);
      return null;
    }
  }

  #auditChainTime(
    parent: ChainState,
    { header, parentCertificate }: Block,
    find: (check: AuditFinding['check'], message: string) => void,
  ): void {
    if (header.chainTimeMs < parent.chainTimeMs)
      find('chain-time', `chain time fell from ${parent.chainTimeMs} to ${header.chainTimeMs}`);
    const latestMs = latestTimestamp(parentCertificate);
    if (latestMs !== null && header.chainTimeMs > Math.max(latestMs, parent.chainTimeMs))
      find('chain-time', `chain time ${header.chainTimeMs} is after every vote that it is taken from (${latestMs})`);
  }

  #penalties(parent: ChainState, state: ChainState): LabEventBody[] {
    return this.#names.flatMap((member, rank): LabEventBody[] => {
      const before = parent.ledger.accounts[rank]?.stakeMicro ?? 0n;
      const now = state.ledger.accounts[rank]?.stakeMicro ?? 0n;
      if (now >= before) return [];
      return [
        {
          type: 'penalty',
          height: state.height,
          member,
          lostMicro: String(before - now),
          stakeMicro: String(now),
          openingMicro: String(this.#openingStakeMicro[rank]),
          evidence: state.discipline.outcomes.filter((one) => one.member === rank).map(({ type }) => type),
        },
      ];
    });
  }

  #describe(parent: ChainState, block: Block, hash: string, byteLength: number): LabEventBody[] {
    const { header } = block;
    const [entry] = electionListOf(this.#rules, parent, block.parentCertificate);
    const events: LabEventBody[] = [
      {
        type: 'block',
        height: header.height,
        hash,
        kind: header.kind,
        slot: header.slot,
        term: header.term,
        turn: entry === undefined ? '' : this.#name(entry.rank),
        composer: this.#name(header.composer),
        round: header.composingRound,
        transactions: block.batches.reduce((sum, { operations }) => sum + operations.length, 0),
        bytes: byteLength,
        chainTimeMs: header.chainTimeMs,
      },
    ];
    if (parent.term > this.#drawnTerm) {
      this.#drawnTerm = parent.term;
      const { candidates, first, demoted } = parent.election;
      const drawn = entry?.candidate === null || entry === undefined ? undefined : candidates[entry.candidate];
      events.push({
        type: 'draw',
        height: header.height,
        term: parent.term,
        isForced: first !== null,
        drawn: drawn === undefined ? null : this.#name(drawn.miner),
        // A demoted miner's turn comes at the end of the list, whatever its weight.
        weights: candidates
          .filter(({ miner }) => !demoted.includes(miner))
          .map(({ miner, weight }) => ({ miner: this.#name(miner), weight: String(weight > 0n ? weight : 0n) })),
      });
    }
    if (header.kind === 'settlement') events.push(...this.#settlement(parent, block));
    return events;
  }

  #settlement(parent: ChainState, block: Block): LabEventBody[] {
    const context = settlementContext(this.#rules, parent, block.parentCertificate, block.header);
    const description = this.#rules.application.describe(context, block.payload);
    const { height, slot } = block.header;
    return this.#rules.application.name === 'posoc'
      ? evSettlement(description as PosocDescription, height, this.#names)
      : [prosumerSettlement(description as SettlementDescription, height, slot, this.#names)];
  }

  #name(rank: number): string {
    return this.#names[rank] ?? `member ${rank}`;
  }
}

function latestTimestamp(certificate: Certificate | null): number | null {
  return certificate === null ? null : Math.max(...certificate.votes.map(({ timestampMs }) => timestampMs));
}
