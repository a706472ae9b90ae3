/** Length-prefixed frames of a direct stream: 4 bytes big-endian length, then that many bytes. */
export const FRAME_HEADER_BYTES = 4;

/** @returns the frame of a message, header included. */
export function encodeFrame(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + message.byteLength);
  new DataView(frame.buffer).setUint32(0, message.byteLength);
  frame.set(message, FRAME_HEADER_BYTES);
  return frame;
}

/** Reassembles frames from chunks of any size; holds at most one frame of `maxBytes`. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerFilled = 0;
  #body: Uint8Array | null = null;
  #bodyFilled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes a chunk and calls `onFrame` for every message that it completes, with a copy of its own.
   *
   * @returns false if a frame announces more than `maxBytes`: the stream cannot be followed any further.
   */
  push(chunk: Uint8Array, onFrame: (message: Uint8Array) => void): boolean {
    let offset = 0;
    while (offset < chunk.byteLength) {
      if (this.#body === null) {
        const taken = Math.min(FRAME_HEADER_BYTES - this.#headerFilled, chunk.byteLength - offset);
        this.#header.set(chunk.subarray(offset, offset + taken), this.#headerFilled);
        this.#headerFilled += taken;
        offset += taken;
        if (this.#headerFilled < FRAME_HEADER_BYTES) return true;
        const length = new DataView(this.#header.buffer).getUint32(0);
        if (length > this.#maxBytes) return false;
        this.#body = new Uint8Array(length);
        this.#bodyFilled = 0;
      }
      const taken = Math.min(this.#body.byteLength - this.#bodyFilled, chunk.byteLength - offset);
      this.#body.set(chunk.subarray(offset, offset + taken), this.#bodyFilled);
      this.#bodyFilled += taken;
      offset += taken;
      if (this.#bodyFilled === this.#body.byteLength) {
        const message = this.#body;
        this.#body = null;
        this.#headerFilled = 0;
        onFrame(message);
      }
    }
    return true;
  }
}
