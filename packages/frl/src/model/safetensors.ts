import { utf8ToBytes } from '@noble/hashes/utils.js';
import { FrlError } from '../frl-error.ts';

/** A float64 tensor with its name. `values` is row-major. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export interface SafetensorsFile {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 1 << 20;
const METADATA_KEY = '__metadata__';

/**
 * Writes the safetensors format (8-byte header length, JSON header, data), all tensors as F64 little-endian, in the
 * order given, without gaps; the header is padded with spaces so that data start at a multiple of 8.
 */
export function encodeSafetensors(file: SafetensorsFile): Uint8Array {
  const header: Record<string, unknown> = {};
  if (Object.keys(file.metadata).length > 0) header[METADATA_KEY] = file.metadata;
  let dataLength = 0;
  for (const { name, shape, values } of file.tensors) {
    const end = dataLength + values.length * 8;
    header[name] = { dtype: 'F64', shape, data_offsets: [dataLength, end] };
    dataLength = end;
  }
  const unpadded = JSON.stringify(header);
  const headerBytes = utf8ToBytes(unpadded + ' '.repeat((8 - (utf8ToBytes(unpadded).length % 8)) % 8));
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes.length + dataLength);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerBytes.length), true);
  bytes.set(headerBytes, LENGTH_BYTES);
  let offset = LENGTH_BYTES + headerBytes.length;
  for (const { values } of file.tensors) {
    for (const value of values) {
      view.setFloat64(offset, value, true);
      offset += 8;
    }
  }
  return bytes;
}

/**
 * Reads what `encodeSafetensors` writes, strictly: F64 only, tensors contiguous and in file order, exact length, finite
 * values. Throws `FRL_MODEL_WRONG_SIZE` (length), `FRL_MODEL_BAD_HEADER`, `FRL_MODEL_WRONG_DTYPE`,
 * `FRL_MODEL_WRONG_SHAPE` (shape against offsets), `FRL_MODEL_NON_FINITE`.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, dataStart } = readHeader(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tensors: NamedTensor[] = [];
  let metadata: Record<string, string> = {};
  let expectedOffset = 0;
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA_KEY) {
      metadata = readMetadata(entry);
      continue;
    }
    const { shape, start, end } = readEntry(name, entry);
    const length = shape.reduce((product, size) => product * size, 1);
    if (start !== expectedOffset || end - start !== length * 8) {
      throw new FrlError(
        'FRL_MODEL_WRONG_SHAPE',
        `tensor ${name}: shape [${shape}] needs bytes ${expectedOffset}..${expectedOffset + length * 8}, header says ${start}..${end}`,
        { tensor: name, expectedStart: expectedOffset, start, end },
      );
    }
    expectedOffset = end;
    if (dataStart + end > bytes.length) {
      throw wrongSize(`tensor ${name} ends beyond the file`, dataStart + end, bytes.length);
    }
    const values = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const value = view.getFloat64(dataStart + start + 8 * i, true);
      if (!Number.isFinite(value)) {
        throw new FrlError('FRL_MODEL_NON_FINITE', `tensor ${name} holds ${value} at position ${i}`, {
          tensor: name,
          index: i,
          value: String(value),
        });
      }
      values[i] = value;
    }
    tensors.push({ name, shape, values });
  }
  if (dataStart + expectedOffset !== bytes.length) {
    throw wrongSize('bytes follow the last tensor', dataStart + expectedOffset, bytes.length);
  }
  return { tensors, metadata };
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < LENGTH_BYTES) throw wrongSize('no room for the header length', LENGTH_BYTES, bytes.length);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) throw badHeader(`header of ${length} bytes is longer than ${MAX_HEADER_BYTES}`);
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > bytes.length) throw wrongSize('the header ends beyond the file', dataStart, bytes.length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, dataStart)));
  } catch {
    throw badHeader('header is not JSON');
  }
  if (!isRecord(header)) throw badHeader('header is not an object');
  return { header, dataStart };
}

function readMetadata(entry: unknown): Record<string, string> {
  if (!isRecord(entry) || !Object.values(entry).every((value) => typeof value === 'string')) {
    throw badHeader('__metadata__ must map strings to strings');
  }
  return entry as Record<string, string>;
}

function readEntry(name: string, entry: unknown): { shape: number[]; start: number; end: number } {
  if (!isRecord(entry)) throw badHeader(`tensor ${name} has no description`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F64') {
    throw new FrlError('FRL_MODEL_WRONG_DTYPE', `tensor ${name} is ${String(dtype)}, models are F64`, {
      tensor: name,
      dtype: String(dtype),
    });
  }
  const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isSize) || !Array.isArray(offsets) || offsets.length !== 2) {
    throw badHeader(`tensor ${name}: shape or data_offsets are not lists of sizes`);
  }
  const [start, end] = offsets as unknown[];
  if (!isSize(start) || !isSize(end)) throw badHeader(`tensor ${name}: data_offsets are not sizes`);
  return { shape, start, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongSize(what: string, expected: number, found: number): FrlError {
  return new FrlError('FRL_MODEL_WRONG_SIZE', `${what}: expected ${expected} bytes, found ${found}`, {
    expected,
    found,
  });
}

function badHeader(what: string): FrlError {
  return new FrlError('FRL_MODEL_BAD_HEADER', `safetensors: ${what}`);
}
