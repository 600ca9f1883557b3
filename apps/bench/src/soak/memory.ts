/** Memory in use at a time. */
export interface MemorySample {
  /** Since the start, ms. */
  readonly atMs: number;
  /** After a garbage collection. */
  readonly heapBytes: number;
}

const TEN_MINUTES_MS = 600_000;

/** How fast the memory in use grows, MiB in ten minutes: the slope of the line through the samples with the least squares. */
export function memorySlope(samples: readonly MemorySample[]): number {
  const count = samples.length;
  if (count < 2) return Number.NaN;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const meanBytes = samples.reduce((sum, { heapBytes }) => sum + heapBytes, 0) / count;
  let products = 0;
  let squares = 0;
  for (const { atMs, heapBytes } of samples) {
    products += (atMs - meanAt) * (heapBytes - meanBytes);
    squares += (atMs - meanAt) ** 2;
  }
  return ((products / squares) * TEN_MINUTES_MS) / 2 ** 20;
}
