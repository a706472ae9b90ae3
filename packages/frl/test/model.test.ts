import { describe, expect, it } from 'vitest';
import { initialWeights } from '../src/model/initial-weights.ts';
import { decodeModel, encodeModel, modelHash, readModelFile, tensorBytes } from '../src/model/model-codec.ts';
import { createModelLayout } from '../src/model/model-layout.ts';
import { decodeSafetensors, encodeSafetensors } from '../src/model/safetensors.ts';
import { streamRng } from '../src/rng.ts';

const layout = createModelLayout(9);
const weights = initialWeights(layout, streamRng(1, 'weights'));
const code = (name: string) => expect.objectContaining({ code: name });

/** The file with its JSON header edited; lengths follow. */
function withHeader(bytes: Uint8Array, edit: (header: string) => string): Uint8Array {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = new TextEncoder().encode(edit(new TextDecoder().decode(bytes.subarray(8, 8 + length))));
  const edited = new Uint8Array(8 + header.length + bytes.length - 8 - length);
  new DataView(edited.buffer).setBigUint64(0, BigInt(header.length), true);
  edited.set(header, 8);
  edited.set(bytes.subarray(8 + length), 8 + header.length);
  return edited;
}

describe('layout', () => {
  it('has 2819 parameters at nine observations, without gaps or overlaps', () => {
    expect(layout.parameterCount).toBe(2819);
    let next = 0;
    for (const { offset, length } of layout.tensors) {
      expect(offset).toBe(next);
      next += length;
    }
    expect(next).toBe(2819);
    expect(layout.tensors[0]).toMatchObject({ name: 'actor.0.weight', shape: [32, 9] });
    expect(() => createModelLayout(0)).toThrowError(code('FRL_INVALID_CONFIG'));
  });

  it('starts with the stated scales', () => {
    const sdOf = (name: string): number => {
      const { offset, length } = layout.tensors.find((tensor) => tensor.name === name)!;
      const part = weights.subarray(offset, offset + length);
      return Math.sqrt(part.reduce((sum, x) => sum + x * x, 0) / length);
    };
    expect(Math.abs(sdOf('critic.1.weight') * Math.sqrt(32) - 1)).toBeLessThan(0.1);
    expect(Math.abs(sdOf('actor.0.weight') * Math.sqrt(9) - 1)).toBeLessThan(0.15);
    expect(sdOf('actor.2.weight')).toBeLessThan(0.05);
    expect(sdOf('actor.1.bias')).toBe(0);
    expect(weights[layout.logStdOffset]).toBe(-0.5);
  });
});

describe('safetensors', () => {
  const bytes = encodeModel(layout, weights, { round: '7' });

  it('reads back what it wrote, to the bit', () => {
    expect(decodeModel(layout, bytes)).toEqual(weights);
    expect(decodeSafetensors(bytes).metadata).toEqual({ round: '7' });
    expect(encodeSafetensors(decodeSafetensors(bytes))).toEqual(bytes);
  });

  it('is the published format: length, JSON header, little-endian data', () => {
    const small = encodeSafetensors({
      tensors: [{ name: 'x', shape: [2], values: Float64Array.of(1, -2) }],
      metadata: {},
    });
    const header = '{"x":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}';
    expect(new DataView(small.buffer).getBigUint64(0, true)).toBe(56n);
    expect(new TextDecoder().decode(small.subarray(8, 64)).trimEnd()).toBe(header);
    expect([...small.subarray(64)]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0]);
  });

  it.each([
    ['FRL_MODEL_WRONG_SIZE', 'one byte short', bytes.subarray(0, -1)],
    ['FRL_MODEL_WRONG_SIZE', 'one byte long', Uint8Array.of(...bytes, 0)],
    ['FRL_MODEL_WRONG_SIZE', 'no header length', bytes.subarray(0, 7)],
    ['FRL_MODEL_WRONG_SIZE', 'header cut', bytes.subarray(0, 20)],
    ['FRL_MODEL_BAD_HEADER', 'not JSON', withHeader(bytes, (header) => `x${header}`)],
    ['FRL_MODEL_BAD_HEADER', 'not an object', withHeader(bytes, () => '[]')],
    ['FRL_MODEL_BAD_HEADER', 'metadata is not text', withHeader(bytes, (header) => header.replace('"7"', '7'))],
    ['FRL_MODEL_BAD_HEADER', 'shape is not a list', withHeader(bytes, (header) => header.replace('[32,9]', '"x"'))],
    [
      'FRL_MODEL_BAD_HEADER',
      'offset is negative',
      withHeader(bytes, (header) => header.replace('[0,2304]', '[-1,2304]')),
    ],
    ['FRL_MODEL_BAD_HEADER', 'header too long', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)],
    ['FRL_MODEL_WRONG_DTYPE', 'float32', withHeader(bytes, (header) => header.replace('F64', 'F32'))],
    [
      'FRL_MODEL_WRONG_SHAPE',
      'shape and length differ',
      withHeader(bytes, (header) => header.replace('[32,9]', '[32,8]')),
    ],
    ['FRL_MODEL_WRONG_SHAPE', 'other name', withHeader(bytes, (header) => header.replace('actor.0.weight', 'actor.x'))],
    [
      'FRL_MODEL_WRONG_SHAPE',
      'same size, transposed',
      withHeader(bytes, (header) => header.replace('[32,9]', '[9,32]')),
    ],
    [
      'FRL_MODEL_WRONG_SHAPE',
      'a tensor too few',
      encodeModel({ ...layout, tensors: layout.tensors.slice(0, -1) }, weights),
    ],
  ])('%s: %s', (name, _what, damaged) => {
    expect(() => decodeModel(layout, damaged)).toThrowError(code(name));
  });

  it("FRL_MODEL_WRONG_SHAPE: tensors of the right sizes in each other's place", () => {
    const tensor = (name: string) => ({ name, shape: [1], values: Float64Array.of(1) });
    const swapped = withHeader(encodeSafetensors({ tensors: [tensor('a'), tensor('b')], metadata: {} }), (header) =>
      header.replace('[0,8]', '[x]').replace('[8,16]', '[0,8]').replace('[x]', '[8,16]'),
    );
    expect(() => decodeSafetensors(swapped)).toThrowError(code('FRL_MODEL_WRONG_SHAPE'));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('FRL_MODEL_NON_FINITE: %d', (value) => {
    const poisoned = Float64Array.from(weights);
    poisoned[2000] = value;
    expect(() => decodeModel(layout, encodeModel(layout, poisoned))).toThrowError(code('FRL_MODEL_NON_FINITE'));
  });
});

describe('hash', () => {
  it('covers the tensor bytes and nothing else', () => {
    expect(modelHash(Float64Array.of(1, 2))).toBe('dc91ce9a50ddc828740aa26743716897fdb2bb64f1db662fe263a59be56145ae');
    const changed = Float64Array.from(weights);
    changed[5] = changed[5]! + Number.EPSILON;
    expect(modelHash(changed)).not.toBe(modelHash(weights));
    expect(modelHash(decodeModel(layout, encodeModel(layout, weights, { any: 'thing' })))).toBe(modelHash(weights));
  });

  it('takes another hash function over the same bytes', () => {
    const seen: Uint8Array[] = [];
    const hash = modelHash(Float64Array.of(1), (input) => {
      seen.push(input);
      return Uint8Array.of(0xab);
    });
    expect(hash).toBe('ab');
    expect([...seen[0]!]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    expect(tensorBytes(Float64Array.of(1))).toEqual(seen[0]);
  });
});

describe('a model file of unknown size', () => {
  it('says its own layout', () => {
    for (const other of [layout, createModelLayout(10), createModelLayout(3, [5]), createModelLayout(2, [4, 3, 2])]) {
      const values = initialWeights(other, streamRng(2, 'weights'));
      const file = readModelFile(encodeModel(other, values, { preset: 'paper' }));
      expect(file).toEqual({ layout: other, weights: values, metadata: { preset: 'paper' } });
    }
  });

  it('is refused without an actor, or when the rest does not fit the actor', () => {
    const tensor = (name: string, shape: number[]) => ({
      name,
      shape,
      values: new Float64Array(shape.reduce((product, size) => product * size, 1)),
    });
    const bytes = (...tensors: ReturnType<typeof tensor>[]) => encodeSafetensors({ tensors, metadata: {} });
    for (const wrong of [
      bytes(tensor('x', [1])),
      bytes(tensor('actor.0.weight', [2])),
      bytes(tensor('actor.0.weight', [0, 4])),
      bytes(tensor('actor.0.weight', [2, 4]), tensor('actor.0.bias', [2])),
    ])
      expect(() => readModelFile(wrong)).toThrowError(code('FRL_MODEL_WRONG_SHAPE'));
    expect(() => readModelFile(new Uint8Array(3))).toThrowError(code('FRL_MODEL_WRONG_SIZE'));
  });
});
