import { Command } from 'commander';
import { getJson, type StatusView } from '../../cluster/peer-client.ts';
import { livingEndpoint } from '../../cluster/peer-process.ts';
import { readRun } from '../../provision/run-folder.ts';
import { jsonOption, runOption } from '../options.ts';
import { printJson, printTable } from '../output.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('Show the peers of a run: height, head, slot, connections.')
    .addOption(runOption())
    .addOption(jsonOption())
    .action((options: { run: string; json?: boolean }) => showStatus(options.run, options.json === true));
}

export async function showStatus(folder: string, asJson: boolean): Promise<void> {
  const run = await readRun(folder);
  const peers = await Promise.all(
    run.peers.map(async (peer) => {
      const endpoint = await livingEndpoint(folder, peer);
      const status = endpoint === null ? null : await getJson<StatusView>(endpoint.apiUrl, '/status').catch(() => null);
      return { ...peer, pid: endpoint?.pid ?? null, apiUrl: endpoint?.apiUrl ?? null, status };
    }),
  );
  if (asJson) {
    for (const peer of peers) printJson(peer);
    return;
  }
  printTable(
    [
      { title: 'peer' },
      { title: 'process', align: 'right' },
      { title: 'height', align: 'right' },
      { title: 'head' },
      { title: 'slot', align: 'right' },
      { title: 'connected', align: 'right' },
      { title: 'pool', align: 'right' },
      { title: 'API' },
    ],
    peers.map(({ name, pid, apiUrl, status }) =>
      status === null
        ? [name, pid ?? 'down', '', '', '', '', '', apiUrl ?? '']
        : [
            name,
            pid ?? '',
            status.height,
            status.headHash.slice(0, 10),
            status.slot,
            `${status.connected}/${status.members - 1}`,
            status.poolTransactions,
            apiUrl ?? '',
          ],
    ),
  );
}
