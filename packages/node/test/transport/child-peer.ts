/**
 * A transport in a process of its own, for tests that stop, resume or outlive it.
 *
 * Reads its place from the first argument, reports over IPC what happens, and ends by itself after `stop`.
 */
import { Libp2pTransport } from '../../src/transport/libp2p-transport.ts';
import { textOf } from './inbox.ts';
import { memberOf, secretOf } from './lab.ts';

const { index, members, address } = JSON.parse(process.argv[2] ?? '{}') as {
  index: number;
  members: number;
  address: string;
};
const report = (message: object): void => void process.send?.(message);
const transport = new Libp2pTransport({
  chainId: 'lab',
  secretKey: secretOf(index),
  members: Array.from({ length: members }, (_, member) => memberOf(member)),
  addresses: { [memberOf(0)]: address },
  redial: { maxDelayMs: 500 },
});
transport.onConnection((_, up) => report({ up }));
transport.onMessage(({ topic, bytes }) => {
  report({ topic, text: textOf(bytes.subarray(0, 32)), byteLength: bytes.byteLength });
  return 'accept';
});
process.on('message', async () => {
  await transport.stop();
  process.disconnect();
});
await transport.start();
report({ address: transport.listenAddresses[0] });
