import { batchHash, signBatch, transactionId } from '../../src/chain/index.ts';
import type { ChainRules } from '../../src/chain/state.ts';
import type { MemberSigner } from '../../src/crypto/index.ts';
import { decodeState } from '../../src/execution/index.ts';
import { encodeMessage } from '../../src/wire/messages.ts';
import type { SimulatedDisk } from './disk.ts';
import type { WorldChain } from './genesis.ts';
import type { Rng } from './rng.ts';

/** `c` of invariant 9: blocks that pass while a batch is told, reported as overdue by enough voters, and composed. */
const INCLUSION_SLACK_BLOCKS = 12;

interface Client {
  readonly sender: number;
  done: boolean;
}

interface ClientPorts {
  readonly chain: WorldChain;
  readonly rng: Rng;
  honest(): readonly { readonly rank: number; readonly disk: SimulatedDisk }[];
  /** Hands bytes to a peer; whether it takes them. */
  submit(rank: number, bytes: Uint8Array): boolean;
  isFair(): boolean;
  height(): number;
  promised(id: string, dueHeight: number): void;
  at(delayMs: number, run: () => void): void;
}

/** Members' transfers, each of which somebody wants to see committed. */
export class Clients {
  readonly #ports: ClientPorts;
  readonly #clients: Client[] = [];

  constructor(ports: ClientPorts) {
    this.#ports = ports;
  }

  get waiting(): number {
    return this.#clients.filter(({ done }) => !done).length;
  }

  /** A client of a random member signs a transfer; it asks again at random peers until the transfer is committed. */
  submit(): void {
    const { chain, rng, honest, at } = this.#ports;
    const { rules, signers } = chain;
    const sender = rng.pick(honest()).rank;
    const to = rules.genesis.members[rng.below(signers.length)]?.publicKey as string;
    const firstNonce = this.#clients.filter((client) => client.sender === sender).length;
    const unsigned = {
      chainId: rules.chainId,
      sender: signers[sender]?.publicKey as string,
      firstNonce,
      operations: [{ type: 'transfer', asset: 'upos', to, amount: BigInt(1 + rng.below(1_000)) }] as const,
    };
    const batch = signBatch(unsigned, signers[sender] as MemberSigner);
    const bytes = encodeMessage({ type: 'batch', batch });
    const id = transactionId(batchHash(batch), 0);
    const client: Client = { sender, done: false };
    this.#clients.push(client);
    const attempt = (): void => {
      client.done = honest().some(({ disk }) => nonceOf(disk, rules, sender) > firstNonce);
      if (client.done) return;
      const isTaken = this.#ports.submit(rng.pick(honest()).rank, bytes);
      if (isTaken && this.#ports.isFair()) this.#promise(client, id);
      at(500 + rng.below(1_000), attempt);
    };
    attempt();
  }

  /** In fair weather nothing may keep a transaction out that an honest peer has taken, but those that must come before it. */
  #promise(client: Client, id: string): void {
    const { chain, height, promised } = this.#ports;
    const before = this.#clients.filter((one) => !one.done && one.sender === client.sender).indexOf(client);
    const { inclusionDelayBlocks } = chain.rules.genesis.limits;
    promised(id, height() + (1 + before) * (inclusionDelayBlocks + INCLUSION_SLACK_BLOCKS));
  }
}

const nonces = new WeakMap<object, readonly number[]>();

function nonceOf(disk: SimulatedDisk, rules: ChainRules, account: number): number {
  const last = disk.commits.at(-1);
  if (last === undefined) return 0;
  const known = nonces.get(last) ?? decodeState(rules, last.state).ledger.accounts.map(({ nonce }) => nonce);
  nonces.set(last, known);
  return known[account] ?? 0;
}
