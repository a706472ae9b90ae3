import { settlementIsDue, slotEndMs } from '../chain/slots.ts';
import { ensure, type Subject } from './subject.ts';

/**
 * The kind of block for its place in the slot. In an open slot: transactions (at least one), or closing. In a closed one:
 * the settlement as soon as chain time has reached the slot's end, and until then further closing blocks. A settlement
 * holds no transactions, every other block no payload.
 */
export function checkKind({ rules, parent, block }: Subject): void {
  const { header, batches, payload } = block;
  const { kind, chainTimeMs } = header;
  if (kind === 'settlement') {
    ensure(parent.phase === 'closed', 'kind', 'BLOCK_KIND_OUT_OF_PLACE', () => {
      return `slot ${parent.slot} has not been closed yet`;
    });
    ensure(settlementIsDue(rules, parent, chainTimeMs), 'kind', 'BLOCK_SLOT_NOT_OVER', () => {
      return `slot ${parent.slot} ends at ${slotEndMs(rules, parent.slot)}, chain time is ${chainTimeMs}`;
    });
    ensure(batches.length === 0, 'kind', 'BLOCK_UNEXPECTED_TRANSACTIONS', () => {
      return `a settlement holds no transactions, this one ${batches.length} batches`;
    });
    return;
  }
  const inPlace = parent.phase === 'open' || (kind === 'closing' && !settlementIsDue(rules, parent, chainTimeMs));
  ensure(inPlace, 'kind', 'BLOCK_KIND_OUT_OF_PLACE', () => {
    return `slot ${parent.slot} is closed: a block of ${kind} has no place before its settlement`;
  });
  ensure(kind === 'closing' || batches.length > 0, 'kind', 'BLOCK_WITHOUT_TRANSACTIONS', () => {
    return 'a block that neither closes nor settles a slot holds at least one transaction';
  });
  ensure(payload.length === 0, 'kind', 'BLOCK_UNEXPECTED_PAYLOAD', () => {
    return `only settlements have a payload, this block has one of ${payload.length} bytes`;
  });
}
