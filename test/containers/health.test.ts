import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const script = join(import.meta.dirname, '../../docker/health.mjs');

/** Exit status and output of the health check against an API that answers with this status. */
async function check(status: number): Promise<{ code: number; output: string }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(status).end('{"ok":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const result = await checkPort((server.address() as AddressInfo).port);
    expect(asked).toEqual(['/health']);
    return result;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function checkPort(port: number): Promise<{ code: number; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'wattmesh-health-'));
  try {
    const config = join(folder, 'node.json');
    writeFileSync(config, JSON.stringify({ api: { port } }));
    return await new Promise((resolve) => {
      execFile(process.execPath, [script, config], (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('a peer that says it is well is healthy', async () => {
  expect(await check(200)).toEqual({ code: 0, output: '200 {"ok":true}\n' });
});

test('a peer that says it is not, is not', async () => {
  expect(await check(503)).toEqual({ code: 1, output: '503 {"ok":true}\n' });
});

test('a peer that does not answer is not', async () => {
  const { code, output } = await checkPort(9);
  expect(code).toBe(1);
  expect(output).toMatch(/fetch failed|bad port/);
});
