import { Command, Option } from 'commander';
import { accountHistory } from '../../inspect/account-history.ts';
import { blockReport, blockRows } from '../../inspect/block-report.ts';
import { chainDifference } from '../../inspect/chain-difference.ts';
import { electionReport } from '../../inspect/election-report.ts';
import { InspectError } from '../../inspect/errors.ts';
import { evidenceReport } from '../../inspect/evidence-report.ts';
import { exportCsv } from '../../inspect/export-csv.ts';
import { heightFlow } from '../../inspect/height-flow.ts';
import type { InspectedChain } from '../../inspect/inspected-chain.ts';
import { type ChainLocation, openChain } from '../../inspect/locate.ts';
import { verifyChain } from '../../inspect/verify-chain.ts';
import { showAccount, showBlock, showBlocks } from '../inspect/block-tables.ts';
import { showDifference, showElection, showFlow, showVerification } from '../inspect/chain-tables.ts';
import { showEvidence } from '../inspect/evidence-table.ts';
import { integerBetween, jsonOption, runOption } from '../options.ts';
import { print, printJson, printTable } from '../output.ts';

interface Common extends ChainLocation {
  readonly json?: boolean;
}

export function inspectCommand(): Command {
  const inspect = new Command('inspect')
    .description('Look into a chain: blocks, accounts, elections, votes, evidence; compare, verify and export it.')
    .addHelpText(
      'after',
      `
Where the chain is read from, for every subcommand: a peer of a run (--run, --peer; through its API when it is running),
a running peer (--api), or a data folder (--data with --genesis; its peer must be down).

Example:
  wattmesh inspect blocks && wattmesh inspect block 2 && wattmesh inspect verify`,
    );
  const commands = [blocks(), block(), account(), election(), height(), evidence(), diff(), verify(), exporting()];
  for (const command of commands)
    inspect.addCommand(command.exitOverride().showHelpAfterError('(add --help for what is possible)'));
  return inspect;
}

function blocks(): Command {
  return located('blocks', 'List blocks.')
    .option('--from <height>', 'first height (default: the last ones)', integerBetween(1, 1e12))
    .option('--limit <n>', 'how many', integerBetween(1, 100_000), 20)
    .action((options: Common & { from?: number; limit: number }) =>
      inspecting(options, async (chain) => {
        const from = options.from ?? Math.max(1, chain.head - options.limit + 1);
        const rows = await blockRows(chain, from, options.limit);
        if (options.json) for (const row of rows) printJson(row);
        else showBlocks(rows, chain.head);
      }),
    );
}

function block(): Command {
  return located('block', 'Explain one block: trades, bills, rewards, scores, and what it did to the accounts.')
    .argument('<which>', 'height, or a block hash (8 digits are enough)')
    .action((which: string, options: Common) =>
      inspecting(options, async (chain) => {
        const report = await blockReport(chain, await chain.heightOf(which));
        if (options.json) printJson(report);
        else showBlock(report, (rank) => chain.name(rank));
      }),
    );
}

function account(): Command {
  return located('account', 'Show an account and its balances after every block that changed them.')
    .argument('<which>', "a peer's name, a rank, edc, or (the beginning of) a public key")
    .action((which: string, options: Common) =>
      inspecting(options, async (chain) => {
        const history = await accountHistory(chain, which);
        if (options.json) printJson(history);
        else showAccount(history);
      }),
    );
}

function election(): Command {
  return located('election', 'Why this one composed a block: seed and its beacon shares, weights, draws, list.')
    .argument('<which>', 'height or block hash')
    .action((which: string, options: Common) =>
      inspecting(options, async (chain) => {
        const report = await electionReport(chain, await chain.heightOf(which));
        if (options.json) printJson(report);
        else showElection(report, (rank) => chain.name(rank));
      }),
    );
}

function height(): Command {
  return located(
    'height',
    'How a height was decided, as far as it is stored: rounds, and who signed the precommits when.',
  )
    .argument('<which>', 'height or block hash')
    .action((which: string, options: Common) =>
      inspecting(options, async (chain) => {
        const flow = await heightFlow(chain, await chain.heightOf(which));
        if (options.json) printJson(flow);
        else showFlow(flow, (rank) => chain.name(rank));
      }),
    );
}

function evidence(): Command {
  return located('evidence', 'Decide the evidence on the chain again, and compare with what the chain recorded.')
    .argument('[which]', 'height or block hash of one block (default: every block)')
    .addHelpText(
      'after',
      `
Each item proves, or fails to prove, that a member broke a rule: a timeout (no acceptable proposal in its round), two votes
or two proposals in one place, two contributions for one slot, an invalid block. What it proves is decided here from the
block and the states before it. The record is that of the state after the block. Ends with 1 when the two disagree, or
when the record is not the one that the block's header commits to.`,
    )
    .action((which: string | undefined, options: Common) =>
      inspecting(options, async (chain) => {
        const report = await evidenceReport(chain, which === undefined ? null : await chain.heightOf(which));
        if (options.json) printJson(report);
        else showEvidence(report, (rank) => chain.name(rank));
        if (report.agrees) return;
        const height = report.wrongRoots[0] ?? report.items.find((row) => !row.agrees)?.block ?? 0;
        throw new InspectError(
          'INSPECT_EVIDENCE_DISAGREES',
          `the record of the evidence in block ${height} is not what deciding it again gives; see: wattmesh inspect verify`,
          { height },
        );
      }),
    );
}

function diff(): Command {
  return located('diff', 'Compare two peers: the first height at which their blocks differ, and in what.')
    .option('--with <peer>', 'the other peer of the run')
    .option('--with-api <url>', 'API of the other peer')
    .option('--with-data <folder>', "the other peer's data folder (of the chain in --genesis)")
    .action((options: Common & { with?: string; withApi?: string; withData?: string }) =>
      inspecting(options, async (chain) => {
        const { with: peer, withApi: api, withData: data } = options;
        if ([peer, api, data].filter((one) => one !== undefined).length !== 1)
          throw new InspectError('INSPECT_BAD_OPTION', 'give one of --with, --with-api and --with-data');
        const other = await openChain({
          run: options.run,
          ...(peer === undefined ? {} : { peer }),
          ...(api === undefined ? {} : { api }),
          ...(data === undefined ? {} : { data }),
          ...(options.genesis === undefined ? {} : { genesis: options.genesis }),
        });
        try {
          const difference = await chainDifference(chain, other);
          if (options.json) printJson(difference);
          else showDifference(difference);
          if (difference.first !== null)
            throw new InspectError(
              'INSPECT_CHAINS_DIFFER',
              `the chains differ at height ${difference.first.height}; agreement is broken, or one store is damaged: verify both`,
              { height: difference.first.height },
            );
        } finally {
          await other.close();
        }
      }),
    );
}

function verify(): Command {
  return located(
    'verify',
    'Verify a chain from genesis: every check, execution, state root, vote and beacon share.',
  ).action((options: Common) =>
    inspecting(options, async (chain) => {
      const report = await verifyChain(chain);
      if (options.json) printJson(report);
      else showVerification(report);
      if (report.problem !== null)
        throw new InspectError(
          'INSPECT_CHAIN_INVALID',
          `height ${report.problem.height} does not verify (${report.problem.code})`,
          { height: report.problem.height },
        );
    }),
  );
}

function exporting(): Command {
  return located('export', 'Write blocks.csv, prosumers.csv and trades.csv, units in the headers.')
    .argument('<folder>', 'where the files go; files of these names are replaced')
    .action((folder: string, options: Common) =>
      inspecting(options, async (chain) => {
        const report = await exportCsv(chain, folder);
        if (options.json) printJson(report);
        else {
          printTable(
            [{ title: 'file' }, { title: 'rows', align: 'right' }],
            Object.entries(report.rows).map(([file, rows]) => [file, rows]),
          );
          print(`${report.billedSlots} billed slots, in ${folder}`);
        }
      }),
    );
}

function located(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(runOption())
    .option('--peer <name>', 'which peer of the run (default: the first)')
    .addOption(new Option('--api <url>', 'API of a running peer, such as http://127.0.0.1:7001').conflicts('data'))
    .option('--data <folder>', 'data folder of a peer that is down')
    .option('--genesis <file>', 'genesis of the chain in --data')
    .addOption(jsonOption());
}

async function inspecting(options: Common, work: (chain: InspectedChain) => Promise<void>): Promise<void> {
  const chain = await openChain(options);
  try {
    await work(chain);
  } finally {
    await chain.close();
  }
}
