/** Ratios of paired rounds: the middle one and the extremes. */
export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Sums up what was divided round by round: machine drift changes both sides of a round, and not their ratio. */
export function pairedRatio(values: readonly number[], references: readonly number[]): Ratio {
  if (values.length !== references.length || values.length === 0) {
    throw new RangeError(
      `ratios need as many values as references, and at least one; there are ${values.length} and ${references.length}`,
    );
  }
  const ratios = values.map((value, round) => value / (references[round] ?? Number.NaN));
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

/** The middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
