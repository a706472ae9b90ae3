/**
 * Loaded before a peer's program (`node --import`): changes lines of its sources as they are read, which makes a deliberately
 * broken build of it. A line that is no longer there is an error, so that a test of the checks cannot pass on a whole build.
 */
import { registerHooks } from 'node:module';

/** @type {{ file: string, find: string, replace: string }[]} */
const changes = JSON.parse(process.env.WATTMESH_BROKEN_BUILD ?? '[]');

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const mine = changes.filter(({ file }) => url.endsWith(file));
    if (mine.length === 0) return loaded;
    let source = String(loaded.source);
    for (const { file, find, replace } of mine) {
      if (!source.includes(find)) throw new Error(`${file} has no line "${find}" to break`);
      source = source.replace(find, replace);
    }
    return { ...loaded, source };
  },
});
