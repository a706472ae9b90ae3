import type { FaultKind } from '../scenario/plan-timeline.ts';
import { clockSkew } from './clock-skew.ts';
import { disconnect } from './disconnect.ts';
import { diskFull } from './disk-full.ts';
import type { FaultDriver } from './fault.ts';
import { kill } from './kill.ts';
import { link } from './link.ts';
import { misbehave } from './misbehave.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { restart } from './restart.ts';
import { wipe } from './wipe.ts';

/** One file for each kind of fault. */
export const FAULT_DRIVERS: Readonly<Record<FaultKind, FaultDriver>> = {
  kill,
  stop: kill,
  restart,
  wipe,
  pause,
  disconnect,
  partition,
  link,
  'clock-skew': clockSkew,
  'disk-full': diskFull,
  misbehave,
};
