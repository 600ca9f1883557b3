import type { PolicyContender } from "./contenders.ts";

/** What a call costs by one contender, ns: the median of the rounds, and the lowest and the highest. */
export interface PolicyCost {
  readonly name: string;
  readonly medianNs: number;
  readonly minNs: number;
  readonly maxNs: number;
}

const WARM_UP_ROUNDS = 3;

/** Measures calls one after the other. The contenders take turns, in an order that is reversed every round. */
export async function measurePolicies(
  contenders: readonly PolicyContender[],
  rounds: number,
  calls: number,
): Promise<readonly PolicyCost[]> {
  const samples = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const { name, call } of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const start = performance.now();
      for (let n = 0; n < calls; n++) await call();
      if (round >= 0) samples.get(name)?.push(((performance.now() - start) * 1e6) / calls);
    }
  }
  return [...samples].map(([name, ns]) => {
    const sorted = ns.toSorted((left, right) => left - right);
    return {
      name,
      medianNs: sorted[sorted.length >> 1] ?? Number.NaN,
      minNs: sorted[0] ?? Number.NaN,
      maxNs: sorted.at(-1) ?? Number.NaN,
    };
  });
}
