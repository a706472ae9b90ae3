import { writeFirstJournal } from '../../src/store/journal-file.ts';
import { tempFolder } from '../temp-folder.ts';

/** The data folder of a member whose keys have just been dealt: it has signed nothing. */
export async function dealtFolder(chainId: string, folder = tempFolder()): Promise<string> {
  await writeFirstJournal(folder, Buffer.from(chainId, 'hex'));
  return folder;
}
