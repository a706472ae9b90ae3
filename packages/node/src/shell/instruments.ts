import type { SignatureScheme } from '@wattmesh/consensus';
import type { ShellPeer, ShellPorts } from './peer-shell.ts';

/**
 * What may stand around the parts of a running peer, to measure or to slow them: each function is given the honest part
 * and returns what takes its place. A peer without instruments runs the honest parts themselves.
 */
export interface Instruments {
  /** Below everything that remembers verdicts, so that it sees only work that is really done. */
  signatures(scheme: SignatureScheme): SignatureScheme;
  peer(peer: ShellPeer): ShellPeer;
  ports(ports: ShellPorts): ShellPorts;
}

export const NO_INSTRUMENTS: Instruments = {
  signatures: (scheme) => scheme,
  peer: (peer) => peer,
  ports: (ports) => ports,
};
