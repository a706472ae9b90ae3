import type { OutcomeView } from '../../api/evidence-view.ts';
import type { EvidenceReport } from '../../inspect/evidence-report.ts';
import { money, print, printTable } from '../output.ts';

type NameOf = (rank: number) => string;

export function showEvidence(report: EvidenceReport, name: NameOf): void {
  if (report.items.length === 0) {
    print(`no evidence in the blocks looked at; head: ${report.head}`);
    return;
  }
  printTable(
    [
      { title: 'block', align: 'right' },
      { title: 'kind' },
      { title: 'accused' },
      { title: 'of' },
      { title: 'proves' },
      { title: 'finding' },
      { title: 'recorded' },
      { title: 'slashed EPOS', align: 'right' },
      { title: 'agrees' },
    ],
    report.items.map(({ block, accusation, accusedName, decided, recorded, agrees }) => [
      block,
      accusation.kind,
      accusedName ?? '?',
      placeOf(accusation),
      decided.proves ?? 'nothing',
      decided.finding ?? decided.fault ?? '',
      recorded === null ? 'nothing' : outcomeWords(recorded, name),
      recorded === null ? '' : money(recorded.slashedMicro, 6),
      agrees ? 'yes' : 'NO',
    ]),
  );
  for (const height of report.wrongRoots) print(`THE STATE KEPT AFTER BLOCK ${height} IS NOT THE ONE IN ITS HEADER`);
  print(`${report.items.length} items in ${report.blocks} blocks, decided again: ${verdict(report)}`);
}

function placeOf({ height, round, slot }: EvidenceReport['items'][number]['accusation']): string {
  if (slot !== null) return `slot ${slot}`;
  return height === null ? '' : `height ${height}, round ${round}`;
}

function outcomeWords({ member, fault }: OutcomeView, name: NameOf): string {
  return member === null ? (fault ?? 'nobody') : `${name(member)} punished`;
}

function verdict({ agrees, items }: EvidenceReport): string {
  return agrees ? 'all as recorded' : `${items.filter((row) => !row.agrees).length} NOT as recorded`;
}
