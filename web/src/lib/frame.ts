// One second of the console, decoded. The layout is described in src/mallee/console/frame.py;
// both sides are held to tests/console/golden/frame.bin.

export const VERSION = 1;
const HEADER_BYTES = 24;

export const Flag = { twin: 1, meterStale: 2, controlStale: 4 } as const;
export const State = { good: 0, stale: 1, unknown: 2, partly: 3 } as const;

export interface Frame {
  flags: number;
  schema: number;
  sequence: number;
  /** UTC, seconds since 1970 */
  timeS: number;
  values: Float32Array;
  /** seconds since the oldest reading in each value */
  agesS: Float32Array;
  states: Uint8Array;
  /** JSON */
  text: string;
}

/** Decode a frame; throws where the bytes are none of this version. */
export function decodeFrame(bytes: ArrayBuffer): Frame {
  if (bytes.byteLength < HEADER_BYTES) throw new Error(`frame of ${bytes.byteLength} bytes`);
  const view = new DataView(bytes);
  const version = view.getUint8(0);
  if (version !== VERSION) throw new Error(`frame version ${version}, this page reads ${VERSION}`);
  const count = view.getUint32(4, true);
  const textBytes = view.getUint32(16, true);
  const statesAt = HEADER_BYTES + 8 * count;
  if (bytes.byteLength !== statesAt + count + textBytes) {
    throw new Error(`frame of ${count} signals has ${bytes.byteLength} bytes`);
  }
  return {
    flags: view.getUint8(1),
    schema: view.getUint16(2, true),
    sequence: view.getUint32(20, true),
    timeS: view.getFloat64(8, true),
    values: floats(view, HEADER_BYTES, count),
    agesS: floats(view, HEADER_BYTES + 4 * count, count),
    states: new Uint8Array(bytes, statesAt, count),
    text: new TextDecoder().decode(new Uint8Array(bytes, statesAt + count, textBytes)),
  };
}

function floats(view: DataView, at: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(at + 4 * i, true));
}
