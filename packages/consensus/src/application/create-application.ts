import type { Genesis } from '../chain/types.ts';
import type { SignatureScheme } from '../crypto/ports.ts';
import { GenesisError } from '../genesis/errors.ts';
import { createPoegApplication } from '../poeg/application.ts';
import { createPosocApplication } from '../posoc/application.ts';
import type { Application } from './types.ts';

/**
 * The application that a genesis names.
 * @throws GenesisError GENESIS_INVALID when this version has none of that name.
 */
export function createApplication(genesis: Genesis, signatures: SignatureScheme): Application {
  switch (genesis.application.name) {
    case 'poeg':
      return createPoegApplication(signatures) as Application;
    case 'posoc':
      return createPosocApplication(signatures) as Application;
    default:
      throw new GenesisError(
        'GENESIS_INVALID',
        'application.name',
        `this version runs poeg and posoc, not ${genesis.application.name}`,
      );
  }
}
