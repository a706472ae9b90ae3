import {
  type ChainRules,
  type DisciplineState,
  type EvidenceItem,
  type EvidenceOutcome,
  electionListOf,
  type HistoryEntry,
  jailedMembers,
  proposerAt,
} from '@wattmesh/consensus';

/** What an item of evidence is about. */
export interface AccusationView {
  readonly kind: EvidenceItem['type'];
  /** Whom it accuses. Null when that does not follow from what is at hand (a state that is not kept, or no valid item). */
  readonly accused: number | null;
  /** Height, round and slot that it concerns, as far as it is about one. */
  readonly height: number | null;
  readonly round: number | null;
  readonly slot: number | null;
}

/** What the chain made of an item. */
export interface OutcomeView {
  /** Who was punished, or null. */
  readonly member: number | null;
  /** Why it proves nothing, or nothing new; null when it did. */
  readonly fault: string | null;
  readonly slashedMicro: string;
}

/** `entryAt`: the chain after a height, for who had to propose; null where that is not kept. */
export function accusationView(
  rules: ChainRules,
  item: EvidenceItem,
  entryAt: (height: number) => HistoryEntry | null,
): AccusationView {
  const nowhere = { kind: item.type, accused: null, height: null, round: null, slot: null };
  switch (item.type) {
    case 'timeout': {
      const { height, round } = item;
      const before = entryAt(height - 1);
      const accused = before && proposerAt(electionListOf(rules, before.state, before.certificate), round);
      return { ...nowhere, accused, height, round };
    }
    case 'votes':
      return { ...nowhere, accused: item.first.voter, height: item.first.height, round: item.first.round };
    case 'proposals':
      return { ...nowhere, accused: item.first.proposer, height: item.first.height, round: item.first.round };
    case 'contributions': {
      const verdict = rules.application.checkContribution(rules.genesis, rules.chainId, item.first, null);
      return verdict.ok
        ? { ...nowhere, accused: verdict.contribution.author, slot: verdict.contribution.dueInSlot }
        : nowhere;
    }
    case 'invalid-block': {
      const { proposer, height, round } = item.proposal;
      return { ...nowhere, accused: proposer, height, round };
    }
    case 'omitted':
      return nowhere;
  }
}

export function outcomeView({ member, fault, slashedMicro }: EvidenceOutcome): OutcomeView {
  return { member, fault, slashedMicro: String(slashedMicro) };
}

/** What the chain remembers of misbehaviour, for the block after `height`. */
export function disciplineView(rules: ChainRules, height: number, discipline: DisciplineState): unknown {
  const jailed = jailedMembers(discipline, height + 1);
  return {
    height,
    members: rules.genesis.members.map(({ publicKey }, rank) => ({
      rank,
      publicKey,
      jailedThrough: discipline.jailedThrough[rank] ?? 0,
      isJailed: jailed.has(rank),
    })),
    punished: discipline.punished,
  };
}
