import { Command } from 'commander';
import { livingProcess, stopProcess } from '../../cluster/peer-process.ts';
import { readRun } from '../../provision/run-folder.ts';
import { jsonOption, runOption } from '../options.ts';
import { print, printJson } from '../output.ts';

export function downCommand(): Command {
  return new Command('down')
    .description('Stop the peers of a run in good order. Their chains stay; `up` starts them again.')
    .addOption(runOption())
    .addOption(jsonOption())
    .action(async (options: { run: string; json?: boolean }) => {
      const { peers } = await readRun(options.run);
      const stopped: string[] = [];
      await Promise.all(
        peers.map(async (peer) => {
          const pid = await livingProcess(options.run, peer);
          if (pid === null) return;
          await stopProcess(pid, peer.name);
          stopped.push(peer.name);
        }),
      );
      if (options.json) printJson({ stopped: stopped.sort() });
      else print(stopped.length === 0 ? 'no peer was running' : `stopped ${stopped.sort().join(', ')}`);
    });
}
