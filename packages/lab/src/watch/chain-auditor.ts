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
  rememberCombinations,
  rememberSignatures,
  type SettlementDescription,
  settlementContext,
  verifyBlock,
  verifyCertificate,
} from '@wattmesh/consensus';
import type { LabEventBody } from './events.ts';

export interface AuditFinding {
  readonly check: 'validity' | 'certificates' | 'chain-time' | 'conservation' | 'honest-unpunished';
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
      events.push(...this.#penalties(parent, verdict.state, find));
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

  #penalties(
    parent: ChainState,
    state: ChainState,
    find: (check: AuditFinding['check'], message: string) => void,
  ): LabEventBody[] {
    return this.#names.flatMap((member, rank): LabEventBody[] => {
      const before = parent.ledger.accounts[rank]?.stakeMicro ?? 0n;
      const now = state.ledger.accounts[rank]?.stakeMicro ?? 0n;
      if (now >= before) return [];
      find('honest-unpunished', `${member}'s stake fell from ${before} to ${now} micro-EPOS`);
      return [
        {
          type: 'penalty',
          height: state.height,
          member,
          stakeMicro: String(now),
          beforeMicro: String(this.#openingStakeMicro[rank]),
        },
      ];
    });
  }

  #describe(parent: ChainState, block: Block, hash: string, byteLength: number): LabEventBody[] {
    const { header } = block;
    const events: LabEventBody[] = [
      {
        type: 'block',
        height: header.height,
        hash,
        kind: header.kind,
        slot: header.slot,
        term: header.term,
        composer: this.#name(header.composer),
        round: header.composingRound,
        transactions: block.batches.reduce((sum, { operations }) => sum + operations.length, 0),
        bytes: byteLength,
        chainTimeMs: header.chainTimeMs,
      },
    ];
    if (parent.term > this.#drawnTerm) {
      this.#drawnTerm = parent.term;
      const [entry] = electionListOf(this.#rules, parent, block.parentCertificate);
      const { candidates, first } = parent.election;
      const drawn = entry?.candidate === null || entry === undefined ? undefined : candidates[entry.candidate];
      events.push({
        type: 'draw',
        height: header.height,
        term: parent.term,
        isForced: first !== null,
        drawn: drawn === undefined ? null : this.#name(drawn.miner),
        weights: candidates.map(({ miner, weight }) => ({
          miner: this.#name(miner),
          weight: String(weight > 0n ? weight : 0n),
        })),
      });
    }
    if (header.kind === 'settlement') events.push(this.#settlement(parent, block));
    return events;
  }

  #settlement(parent: ChainState, block: Block): LabEventBody {
    const context = settlementContext(this.#rules, parent, block.parentCertificate, block.header);
    const { billed, market } = this.#rules.application.describe(context, block.payload) as SettlementDescription;
    const sum = (values: readonly string[]): string =>
      String(values.reduce((total, value) => total + BigInt(value), 0n));
    return {
      type: 'settlement',
      height: block.header.height,
      slot: block.header.slot,
      tradedWh: billed?.energyTradedWh ?? '0',
      producedWh: sum(market.members.map(({ productionWh }) => productionWh)),
      consumedWh: sum(market.members.map(({ consumptionWh }) => consumptionWh)),
      lossSavedHalfNanoWh: market.physicalSavingHalfNanoWh,
      rewardMicro: billed?.rewardMicro ?? '0',
      members: this.#names.map((name, rank) => {
        const bill = billed?.members.find((one) => one.rank === rank);
        return {
          name,
          billMicro: bill?.billMicro ?? '0',
          withoutTradingMicro: bill?.withoutTradingMicro ?? '0',
          feeMicro: bill?.feeMicro ?? '0',
          shareMicro: bill?.shareMicro ?? '0',
          scoreWh: market.members.find((one) => one.rank === rank)?.proofScoreWh ?? '0',
        };
      }),
    };
  }

  #name(rank: number): string {
    return this.#names[rank] ?? `member ${rank}`;
  }
}

function latestTimestamp(certificate: Certificate | null): number | null {
  return certificate === null ? null : Math.max(...certificate.votes.map(({ timestampMs }) => timestampMs));
}
