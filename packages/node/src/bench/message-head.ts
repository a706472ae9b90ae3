/** What an encoded message is about, read from its first bytes: decoding it a second time would be measured with it. */
export type MessageHead =
  | { readonly kind: 'proposal'; readonly height: number }
  | { readonly kind: 'votes'; readonly height: number; readonly type: 'prevote' | 'precommit' }
  | { readonly kind: 'other' };

const PROPOSAL = 0;
const VOTES = 1;
const OTHER: MessageHead = { kind: 'other' };

/** Fixed layouts of `@wattmesh/consensus`: kind (1), height (8); kind (1), count (4), vote type (1), height (8). */
export function headOf(bytes: Uint8Array): MessageHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] === PROPOSAL && bytes.length >= 9) return { kind: 'proposal', height: heightAt(view, 1) };
  if (bytes[0] === VOTES && bytes.length >= 14)
    return { kind: 'votes', type: bytes[5] === 0 ? 'prevote' : 'precommit', height: heightAt(view, 6) };
  return OTHER;
}

function heightAt(view: DataView, offset: number): number {
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
}
