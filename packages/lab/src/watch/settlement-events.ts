import type { PosocDescription, SettlementDescription } from '@wattmesh/consensus';
import type { EventOf, LabEventBody } from './events.ts';

type Body<T extends LabEventBody['type']> = Extract<LabEventBody, { readonly type: T }>;

/** A settled slot of a market of prosumers. */
export function prosumerSettlement(
  { billed, market, deviations }: SettlementDescription,
  height: number,
  slot: number,
  names: readonly string[],
): Body<'settlement'> {
  return {
    type: 'settlement',
    height,
    slot,
    tradedWh: billed?.energyTradedWh ?? '0',
    producedWh: sum(market.members.map(({ productionWh }) => productionWh)),
    consumedWh: sum(market.members.map(({ consumptionWh }) => consumptionWh)),
    lossSavedHalfNanoWh: market.physicalSavingHalfNanoWh,
    rewardMicro: billed?.rewardMicro ?? '0',
    members: names.map((name, rank) => {
      const bill = billed?.members.find((one) => one.rank === rank);
      const announced = market.members.find((one) => one.rank === rank);
      return {
        name,
        producedWh: announced?.productionWh ?? '0',
        consumedWh: announced?.consumptionWh ?? '0',
        billMicro: bill?.billMicro ?? '0',
        withoutTradingMicro: bill?.withoutTradingMicro ?? '0',
        feeMicro: bill?.feeMicro ?? '0',
        shareMicro: bill?.shareMicro ?? '0',
        scoreWh: announced?.proofScoreWh ?? '0',
        deviationMicro: sum(deviations.filter((one) => one.rank === rank).map(({ memberMicro }) => memberMicro)),
      };
    }),
  };
}

/** A settled slot of EVs: the hour that was traded, the round that was learnt, the day that ended. */
export function evSettlement(
  { slot, day, hour, round, dayEnd }: PosocDescription,
  height: number,
  names: readonly string[],
): LabEventBody[] {
  const nameOf = (rank: number): string => names[rank] ?? `member ${rank}`;
  const traded: Body<'settlement'> = {
    type: 'settlement',
    height,
    slot,
    tradedWh: sum(hour?.evs.map(({ matchedWh }) => matchedWh) ?? []),
    producedWh: hour?.sellWh ?? '0',
    consumedWh: hour?.buyWh ?? '0',
    lossSavedHalfNanoWh: '0',
    rewardMicro: dayEnd?.rewardMicro ?? '0',
    members: names.map((name, rank): EventOf<'settlement'>['members'][number] => {
      const ev = hour?.evs.find((one) => one.rank === rank);
      // Below 0: it sells.
      const actionWh = BigInt(ev?.actionWh ?? '0');
      return {
        name,
        producedWh: String(actionWh < 0n ? -actionWh : 0n),
        consumedWh: String(actionWh > 0n ? actionWh : 0n),
        billMicro: String(-BigInt(ev?.cashMicro ?? '0')),
        withoutTradingMicro: '0',
        feeMicro: '0',
        shareMicro: '0',
        // ppm Wh
        scoreWh: String(Number(ev?.scorePpmWh ?? '0') / 1e6),
        deviationMicro: '0',
      };
    }),
  };
  return [
    traded,
    ...(round === null
      ? []
      : [
          {
            type: 'round' as const,
            height,
            slot,
            round: round.round,
            rule: round.rule,
            isAggregated: round.isAggregated,
            modelHash: round.modelHash,
            updates: round.updates.map(({ rank }) => nameOf(rank)),
          },
        ]),
    ...(dayEnd === null
      ? []
      : [
          {
            type: 'day' as const,
            height,
            day,
            miner: dayEnd.miner === null ? null : nameOf(dayEnd.miner),
            rewardMicro: dayEnd.rewardMicro,
            members: dayEnd.evs.map(({ rank, score, profitMicro, feeMicro, payoffMicro, escrowMicro }) => ({
              name: nameOf(rank),
              scoreMicroKwh: score,
              profitMicro,
              feeMicro,
              payoffMicro,
              escrowMicro,
            })),
          },
        ]),
  ];
}

function sum(values: readonly string[]): string {
  return String(values.reduce((total, value) => total + BigInt(value), 0n));
}
