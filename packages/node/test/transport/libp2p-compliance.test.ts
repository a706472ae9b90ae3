import { transportCompliance } from './compliance.ts';
import { libp2pLab } from './lab.ts';

transportCompliance('Libp2pTransport', libp2pLab);
