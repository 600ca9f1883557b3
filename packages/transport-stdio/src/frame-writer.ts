import type { Writable } from "node:stream";

/** Bytes that may wait in the stream before writers are held up. */
const HIGH_WATER_BYTES = 256 * 1024;

/** Makes the `write` of a channel over a stream: the lines of a batch leave in one write. */
export function frameWriter(output: Writable, drain: () => void): (frames: readonly string[]) => boolean {
  let full = false;
  output.on("drain", () => {
    if (!full) return;
    full = false;
    drain();
  });
  return (frames) => {
    // After an end the stream would fail; who wrote learns of it by `closed`.
    if (!output.writable) return true;
    output.write(`${frames.join("\n")}\n`);
    full = output.writableLength > HIGH_WATER_BYTES;
    return !full;
  };
}
