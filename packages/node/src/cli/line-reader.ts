import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

const NEWLINE = 0x0a;

/**
 * Feeds the complete lines of a growing file from byte `start` on; returns where to go on. A last line without its end
 * is still being written and is left for the next time. A file that has become shorter was started anew and is read from
 * its beginning; one that is not there has no lines.
 */
export async function readLines(file: string, start: number, use: (line: string) => void): Promise<number> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  let position = size < start ? 0 : start;
  if (size === position) return position;
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { start: position, end: size - 1 })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      use(rest.subarray(0, end).toString('utf8'));
      position += end + 1;
      rest = rest.subarray(end + 1);
    }
  }
  return position;
}
