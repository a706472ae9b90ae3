import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PoegState } from '@wattmesh/consensus';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readNodeConfig } from '../../src/config/node-config.ts';
import { METRICS, type MetricDefinition } from '../../src/metrics/definitions.ts';
import { startMetricsServer } from '../../src/metrics/metrics-server.ts';
import { PeerMetrics } from '../../src/metrics/peer-metrics.ts';
import { startNode } from '../../src/node.ts';
import { peerFolder } from '../../src/provision/run-folder.ts';
import { type SmallNetwork, startSmallNetwork } from '../fixtures/small-network.ts';
import { parseScrape, type Scrape, sampleOf } from './prometheus-text.ts';
import { unknownNames } from './promql.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
let network: SmallNetwork;
let scrapes: Scrape[];
let heights: number[];

beforeAll(async () => {
  network = await startSmallNetwork({ homes: 2, slotPaceMs: 50 });
  await network.reached(5);
  scrapes = [];
  heights = [];
  for (const node of network.nodes) {
    heights.push(node.view().state.height);
    const response = await fetch(`${node.apiUrl}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    scrapes.push(parseScrape(await response.text()));
  }
}, 60_000);

afterAll(async () => {
  await network.stop();
  await network.remove();
});

describe('a live scrape', () => {
  test('has every defined metric, with its type, help and labels, and no other', () => {
    for (const { types, help, samples } of scrapes) {
      expect([...types.keys()].sort()).toEqual(Object.keys(METRICS).sort());
      for (const [name, definition] of Object.entries(METRICS) as [string, MetricDefinition][]) {
        expect([name, types.get(name)]).toEqual([name, definition.type]);
        expect(help.get(name)).toBe(definition.help);
        const of = samples.filter((sample) =>
          definition.type === 'histogram' ? sample.name === `${name}_bucket` : sample.name === name,
        );
        expect([name, of.length > 0]).toEqual([name, true]);
        const labels = new Set(of.flatMap((sample) => Object.keys(sample.labels).filter((label) => label !== 'le')));
        expect([name, [...labels].sort()]).toEqual([name, [...definition.labels].sort()]);
      }
    }
  });

  test('says what the peer says of itself', async () => {
    for (const [k, scrape] of scrapes.entries()) {
      const node = network.nodes[k];
      expect(sampleOf(scrape, 'wattmesh_height')).toBeGreaterThanOrEqual(heights[k] ?? 0);
      expect(sampleOf(scrape, 'wattmesh_slot')).toBeGreaterThanOrEqual(5);
      expect(sampleOf(scrape, 'wattmesh_term')).toBe(sampleOf(scrape, 'wattmesh_slot'));
      expect(sampleOf(scrape, 'wattmesh_members')).toBe(2);
      expect(sampleOf(scrape, 'wattmesh_quorum')).toBe(2);
      expect(sampleOf(scrape, 'wattmesh_peers_connected')).toBe(1);
      expect(
        sampleOf(scrape, 'wattmesh_peer_info', { name: node?.name ?? '', public_key: node?.publicKey ?? '' }),
      ).toBe(1);
      expect(sampleOf(scrape, 'wattmesh_sitting_out')).toBe(0);
      expect(sampleOf(scrape, 'process_resident_memory_bytes')).toBeGreaterThan(10e6);
      expect(sampleOf(scrape, 'process_cpu_seconds_total')).toBeGreaterThan(0);
    }
  });

  test('counts agree with each other', () => {
    for (const scrape of scrapes) {
      const height = sampleOf(scrape, 'wattmesh_height');
      const committed =
        sampleOf(scrape, 'wattmesh_blocks_committed_total', { via: 'consensus' }) +
        sampleOf(scrape, 'wattmesh_blocks_committed_total', { via: 'sync' });
      // A block is counted when its notice leaves, an instant after it is durable.
      expect(height - committed).toBeGreaterThanOrEqual(0);
      expect(height - committed).toBeLessThanOrEqual(1);
      expect(sampleOf(scrape, 'wattmesh_fsync_duration_seconds_count', { kind: 'commit' })).toBeLessThanOrEqual(height);
      expect(sampleOf(scrape, 'wattmesh_fsync_duration_seconds_count', { kind: 'commit' })).toBeGreaterThan(0);
      const received = scrape.samples
        .filter(({ name }) => name === 'wattmesh_messages_received_total')
        .reduce((sum, { value }) => sum + value, 0);
      expect(received).toBeGreaterThan(0);
      // The network's figure also has the copies that were dropped as duplicates.
      expect(sampleOf(scrape, 'wattmesh_network_messages_total', { direction: 'in' })).toBeGreaterThanOrEqual(received);
    }
    const composed = scrapes.reduce((sum, scrape) => sum + sampleOf(scrape, 'wattmesh_block_commit_seconds_count'), 0);
    expect(composed).toBeGreaterThan(0);
    expect(composed).toBeLessThanOrEqual(scrapes.reduce((sum, scrape) => sum + sampleOf(scrape, 'wattmesh_height'), 0));
  });

  test('energy and losses are those of the chain', async () => {
    await network.stop();
    for (const node of network.nodes) {
      const { totals } = node.view().state.app as PoegState;
      const metrics = new PeerMetrics(() => 0);
      metrics.follow({ ...node, chainId: node.rules.chainId, members: 2, quorum: 2 });
      const scrape = parseScrape(await metrics.text());
      metrics.stop();
      expect(totals.energyTradedWh).toBeGreaterThan(0n);
      expect(sampleOf(scrape, 'wattmesh_energy_traded_watt_hours_total')).toBe(Number(totals.energyTradedWh));
      expect(sampleOf(scrape, 'wattmesh_loss_saved_watt_hours_total')).toBe(
        Number(totals.physicalSavingHalfNanoWh) / 2e9,
      );
      expect(sampleOf(scrape, 'wattmesh_slots_settled_total')).toBe(totals.settledSlots);
    }
  });
});

describe('what is counted', () => {
  const observed = async (act: (metrics: PeerMetrics) => unknown, nowMs: () => number = () => 0): Promise<Scrape> => {
    const metrics = new PeerMetrics(nowMs);
    try {
      await act(metrics);
      return parseScrape(await metrics.text());
    } finally {
      metrics.stop();
    }
  };
  const silent = {
    nowMs: () => 0,
    write: async () => undefined,
    broadcast: () => undefined,
    send: () => undefined,
    notice: () => undefined,
    fatal: () => undefined,
  };

  test('messages, by lane, verdict and code', async () => {
    const scrape = await observed((metrics) => {
      metrics.received('votes', 100, 'accept', null);
      metrics.received('votes', 50, 'reject', 'VOTES_MIXED_HEIGHTS');
      const ports = metrics.ports(silent);
      ports.broadcast('bundles', new Uint8Array(7), false);
      ports.send('peer', 'sync', new Uint8Array(9));
    });
    expect(sampleOf(scrape, 'wattmesh_messages_received_total', { lane: 'votes', verdict: 'accept' })).toBe(1);
    expect(sampleOf(scrape, 'wattmesh_messages_received_total', { lane: 'votes', verdict: 'reject' })).toBe(1);
    expect(sampleOf(scrape, 'wattmesh_message_bytes_received_total', { lane: 'votes' })).toBe(150);
    expect(sampleOf(scrape, 'wattmesh_messages_refused_total', { code: 'VOTES_MIXED_HEIGHTS' })).toBe(1);
    expect(sampleOf(scrape, 'wattmesh_messages_sent_total', { lane: 'bundles' })).toBe(1);
    expect(sampleOf(scrape, 'wattmesh_message_bytes_sent_total', { lane: 'sync' })).toBe(9);
  });

  test('blocks, rounds, conflicts and refusals, from what the peer notices', async () => {
    let nowMs = 1_000;
    const scrape = await observed(
      (metrics) => {
        const { notice } = metrics.ports(silent);
        const committed = { type: 'committed', height: 1, blockHash: 'a', round: 0, transactions: 3 } as const;
        notice({ type: 'composed', height: 1, round: 0, kind: 'closing', blockHash: 'a', atMs: 800 });
        notice({ ...committed, viaSync: false });
        nowMs = 1_700;
        notice({ ...committed, blockHash: 'b', viaSync: false });
        notice({ ...committed, blockHash: 'c', viaSync: true });
        notice({ type: 'round', height: 2, round: 1 });
        notice({ type: 'conflict', member: 1, height: 2, what: 'prevote' });
        notice({ type: 'conflict', member: 1, height: 2, what: 'announcement/12/1' });
        notice({ type: 'refused', what: 'block', code: 'BLOCK_WRONG_PARENT', sender: 'x', reason: 'y' });
      },
      () => nowMs,
    );
    expect(sampleOf(scrape, 'wattmesh_blocks_committed_total', { via: 'consensus' })).toBe(2);
    expect(sampleOf(scrape, 'wattmesh_blocks_committed_total', { via: 'sync' })).toBe(1);
    expect(sampleOf(scrape, 'wattmesh_transactions_committed_total')).toBe(9);
    expect(sampleOf(scrape, 'wattmesh_block_commit_seconds_sum')).toBeCloseTo(0.2, 9);
    expect(sampleOf(scrape, 'wattmesh_block_commit_seconds_count')).toBe(1);
    expect(sampleOf(scrape, 'wattmesh_block_interval_seconds_sum')).toBeCloseTo(0.7, 9);
    expect(sampleOf(scrape, 'wattmesh_rounds_total')).toBe(1);
    expect(sampleOf(scrape, 'wattmesh_conflicts_total', { what: 'announcement' })).toBe(1);
    expect(sampleOf(scrape, 'wattmesh_refusals_total', { what: 'block', code: 'BLOCK_WRONG_PARENT' })).toBe(1);
  });

  test('a write counts when it has succeeded, and its failure is passed on', async () => {
    const commit = { type: 'commit', commit: {} } as never;
    const scrape = await observed(async (metrics) => {
      await metrics.ports(silent).write([{ type: 'journal', bytes: new Uint8Array(1) }]);
      await metrics.ports(silent).write([{ type: 'journal', bytes: new Uint8Array(1) }, commit]);
      const full = { ...silent, write: () => Promise.reject(new Error('full')) };
      await expect(metrics.ports(full).write([commit])).rejects.toThrow('full');
    });
    expect(sampleOf(scrape, 'wattmesh_fsync_duration_seconds_count', { kind: 'journal' })).toBe(1);
    expect(sampleOf(scrape, 'wattmesh_fsync_duration_seconds_count', { kind: 'commit' })).toBe(1);
  });
});

test('a listener of its own serves the metrics and nothing else', async () => {
  const text = async (): Promise<string> => 'wattmesh_height 7\n';
  const server = await startMetricsServer(
    { contentType: 'text/plain; version=0.0.4; charset=utf-8', text },
    { host: '127.0.0.1', port: 0 },
  );
  try {
    expect(await (await fetch(`${server.url}/metrics`)).text()).toBe('wattmesh_height 7\n');
    expect((await fetch(`${server.url}/status`)).status).toBe(404);
    expect((await fetch(`${server.url}/metrics`, { method: 'POST' })).status).toBe(404);
    const port = Number(new URL(server.url).port);
    const second = startMetricsServer(
      { contentType: 'text/plain; version=0.0.4; charset=utf-8', text },
      { host: '127.0.0.1', port },
    );
    await expect(second).rejects.toMatchObject({ code: 'API_ADDRESS_IN_USE' });
    const nowhere = startMetricsServer(
      { contentType: 'text/plain; version=0.0.4; charset=utf-8', text },
      { host: '192.0.2.1', port: 0 },
    );
    await expect(nowhere).rejects.toMatchObject({ code: 'API_LISTEN_FAILED' });
  } finally {
    await server.close();
  }
});

test('a peer that is told to serves them at an address of their own', async () => {
  const [{ name = '' } = {}] = network.run.peers;
  const config = await readNodeConfig(join(peerFolder(network.folder, name), 'config.json'));
  const node = await startNode({ ...config, metrics: { host: '127.0.0.1', port: 0 } });
  try {
    const scrape = parseScrape(await (await fetch(node.metricsUrl ?? '')).text());
    expect(sampleOf(scrape, 'wattmesh_peer_info', { name })).toBe(1);
    expect((await fetch((node.metricsUrl ?? '').replace('/metrics', '/status'))).status).toBe(404);
  } finally {
    await node.stop();
  }
  expect(network.nodes.map(({ metricsUrl }) => metricsUrl)).toEqual([null, null]);
});

describe('the dashboard', () => {
  const dashboard = JSON.parse(readFileSync(join(repository, 'docker/grafana/dashboards/wattmesh.json'), 'utf8'));
  const queries: { title: string; expr: string; legendFormat: string }[] = [
    ...dashboard.panels.flatMap((panel: { title: string; targets?: { expr: string; legendFormat: string }[] }) =>
      (panel.targets ?? []).map((target) => ({ title: panel.title, ...target })),
    ),
    ...dashboard.templating.list.map(({ name, definition }: { name: string; definition: string }) => ({
      title: name,
      expr: definition,
      legendFormat: '',
    })),
  ];

  test('has queries', () => {
    expect(queries.length).toBeGreaterThan(20);
  });

  test.each(queries)('$title: $expr', ({ expr, legendFormat }) => {
    for (const scrape of scrapes) expect(unknownNames(expr, legendFormat, scrape)).toEqual([]);
  });

  test.each([
    ['wattmesh_hight', '', 'no metric wattmesh_hight'],
    ['rate(wattmesh_messages_sent_total{topic="votes"}[5m])', '', 'wattmesh_messages_sent_total has no label topic'],
    ['sum by (lane) (wattmesh_height)', '', 'no label lane in sum by (lane) (wattmesh_height)'],
    ['wattmesh_height', '{{lane}}', 'no label lane in wattmesh_height'],
    ['wattmesh_block_commit_seconds', '', 'no metric wattmesh_block_commit_seconds'],
  ])('a query that cannot be answered is found: %s', (expr, legend, problem) => {
    expect(unknownNames(expr, legend, scrapes[0] as Scrape)).toEqual([problem]);
  });

  test('compose gives every peer the address that Prometheus asks', () => {
    const read = (path: string) => parse(readFileSync(join(repository, 'docker', path), 'utf8'), { merge: true });
    const [base, override, prometheus] = [
      read('compose.yaml'),
      read('compose.metrics.yaml'),
      read('prometheus/prometheus.yml'),
    ];
    const peers = Object.keys(base.services).filter((name) => name.startsWith('peer-'));
    expect(peers.length).toBeGreaterThan(1);
    expect(prometheus.scrape_configs[0].static_configs[0].targets).toEqual(peers.map((peer) => `${peer}:9464`));
    for (const peer of peers)
      expect(override.services[peer].command).toEqual(expect.arrayContaining(['--metrics', '0.0.0.0:9464']));
    for (const service of ['prometheus', 'grafana']) expect(override.services[service].profiles).toEqual(['metrics']);
  });
});

test('docs/metrics.md lists every metric with its type, labels and meaning', () => {
  const rows = readFileSync(join(repository, 'docs/metrics.md'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, type, labels, help] = /^\| `([a-z_]+)` \| (\w+) \| (.*?) \| (.*) \|$/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, type, labels: labels?.replaceAll('`', ''), help }];
    });
  expect(rows).toEqual(
    (Object.entries(METRICS) as [string, MetricDefinition][]).map(([name, { type, labels, help }]) => ({
      name,
      type,
      labels: labels.join(', '),
      help,
    })),
  );
});
