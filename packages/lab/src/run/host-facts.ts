import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

/** The machine and the program that a result came from. */
export interface HostFacts {
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Mean number of runnable tasks over the minute before the run: others may have used the machine too. */
  readonly loadBefore: number;
  readonly node: string;
  /** Commit of the working tree, with `+changes` when it differs from it; null outside of a clone. */
  readonly commit: string | null;
}

export async function hostFacts(): Promise<HostFacts> {
  const processors = cpus();
  return {
    platform: `${process.platform} ${release()} ${process.arch}`,
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    loadBefore: loadavg()[0] ?? 0,
    node: process.version,
    commit: await commit(),
  };
}

async function commit(): Promise<string | null> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args, { cwd: import.meta.dirname })).stdout.trim();
  try {
    const hash = await git('rev-parse', 'HEAD');
    return `${hash}${(await git('status', '--porcelain', '--untracked-files=no')) === '' ? '' : '+changes'}`;
  } catch {
    return null;
  }
}
