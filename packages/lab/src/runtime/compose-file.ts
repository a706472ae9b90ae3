import { stringify } from 'yaml';

export interface ComposeOptions {
  /** Prefix of containers, network and volumes. */
  readonly project: string;
  readonly names: readonly string[];
  /** Folder with one folder a peer, as the compose file sees it. */
  readonly configFolder: string;
  /** Folder with one folder a peer for control sockets; null without control. */
  readonly controlFolder: string | null;
  readonly memoryMb: number;
  readonly cpus: number;
}

export const API_PORT = 7_001;
export const PEER_PORT = 4_001;

/**
 * A compose file for the peers of a scenario: one container a peer, with its own configuration (read only), its own volume,
 * a health check and limits. It loads in docker-compose 1.29 and in compose v2.
 */
export function composeFile({ project, names, configFolder, controlFolder, memoryMb, cpus }: ComposeOptions): string {
  const service = (name: string): unknown => ({
    image: `\${WATTMESH_IMAGE:-wattmesh-peer}`,
    container_name: `${project}-${name}`,
    hostname: name,
    restart: 'no',
    networks: ['mesh'],
    read_only: true,
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    mem_limit: `${memoryMb}m`,
    cpus,
    pids_limit: 128,
    stop_grace_period: '20s',
    ports: [`127.0.0.1::${API_PORT}`],
    volumes: [
      `${configFolder}/${name}:/config:ro`,
      `data-${name}:/data`,
      ...(controlFolder === null ? [] : [`${controlFolder}/${name}:/control`]),
    ],
    healthcheck: {
      test: ['CMD', 'node', 'docker/health.mjs', '/config/node.json'],
      // Each check is a process of its own: twenty peers that are asked often would leave little of a small machine.
      interval: '30s',
      timeout: '10s',
      start_period: '60s',
      retries: 3,
    },
  });
  const file = {
    version: '3.8',
    services: Object.fromEntries(names.map((name) => [name, service(name)])),
    networks: { mesh: null },
    volumes: Object.fromEntries(names.map((name) => [`data-${name}`, null])),
  };
  // Compose programs read YAML 1.1, in which a bare no is false.
  return stringify(file, { version: '1.1', nullStr: '' });
}
