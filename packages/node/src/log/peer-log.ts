import pino, { type Logger } from 'pino';
import { ConfigError, type NodeConfig } from '../config/node-config.ts';

/** Some ten thousand lines: more than a peer says at once, and little beside its own memory. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;

const SECRET_FIELDS = ['secretKey', 'beaconShare', 'secrets', 'meter'];

/**
 * A peer's log: JSON lines, to a file or to standard output. Secrets are never handed to it; fields with their names are
 * blanked all the same. A file that can no longer be written (a full disk) says so once on standard error, and the peer
 * goes on; of what waits to be written it keeps `MAX_WAITING_BYTES` and leaves out the rest.
 * @throws ConfigError CONFIG_UNWRITABLE when the file cannot be opened
 */
export async function openLog({
  name,
  log,
}: Pick<NodeConfig, 'name' | 'log'>): Promise<{ log: Logger; close(): Promise<void> }> {
  const options = { name, level: log.level, redact: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]) };
  if (log.file === undefined) return { log: pino(options), close: async () => undefined };
  const file = pino.destination({ dest: log.file, mkdir: true, sync: false, maxLength: MAX_WAITING_BYTES });
  await new Promise<void>((resolve, reject) => {
    file.once('ready', resolve);
    file.once('error', (error: Error) =>
      reject(new ConfigError('CONFIG_UNWRITABLE', `cannot write the log ${log.file}: ${error.message}`)),
    );
  });
  const closed = new Promise<void>((resolve) => file.once('close', resolve));
  let isBroken = false;
  const broken = Promise.withResolvers<void>();
  file.on('error', (error: Error) => {
    if (!isBroken) process.stderr.write(`the log ${log.file} cannot be written: ${error.message}\n`);
    isBroken = true;
    broken.resolve();
  });
  return {
    log: pino(options, file),
    close: async () => {
      if (!isBroken) {
        file.end();
        // What is still to be written may be what breaks it, and then it never closes by itself.
        await Promise.race([closed, broken.promise]);
      }
      if (isBroken) file.destroy();
    },
  };
}
