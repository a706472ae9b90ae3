/** Models on the wire: float64, little endian, flat, in the layout's order. Their hash is that of these bytes. */

/** The values of `count` finite floats; null when the bytes are not that. */
export function finiteWeights(tensor: Uint8Array, count: number): Float64Array | null {
  if (tensor.length !== count * 8) return null;
  const view = new DataView(tensor.buffer, tensor.byteOffset, tensor.byteLength);
  const weights = new Float64Array(count);
  for (let k = 0; k < count; k += 1) {
    const value = view.getFloat64(8 * k, true);
    if (!Number.isFinite(value)) return null;
    weights[k] = value;
  }
  return weights;
}
