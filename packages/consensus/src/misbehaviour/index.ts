/**
 * Members that break the protocol, for experiments: each way is a wrapper around the ports of an honest peer, chosen by
 * name. Nothing in the honest path knows of them.
 */
export { MisbehaviourError, type MisbehaviourErrorCode } from './errors.ts';
export { chosen, MISBEHAVIOURS, misbehavingPeer } from './registry.ts';
export type {
  Misbehaviour,
  MisbehaviourChoice,
  MisbehaviourKit,
  ParameterSchema,
  Parameters,
  PeerLike,
} from './types.ts';
