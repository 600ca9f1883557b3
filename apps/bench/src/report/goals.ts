import { type Beside, isOther, type OtherName } from "../others.ts";
import type { ContenderName, Measure, Size, Wire } from "../plan.ts";
import type { Figures } from "./figures.ts";

/** What a contender is to reach, as the median of its ratios to raw, or to another framework. */
export interface Goal {
  readonly wire: Wire;
  readonly contender: ContenderName;
  readonly measure: Measure;
  readonly size: Size;
  /** `cpu` is to be at most the bound, `speed` at least. */
  readonly of: "speed" | "cpu";
  readonly bound: number;
  /** The other framework; absent where it is raw. */
  readonly beside?: OtherName;
}

/** A goal, and what came of it. */
export interface GoalResult extends Goal {
  /** Median of the ratios. */
  readonly reached: number;
  readonly isMet: boolean;
}

type Row = Readonly<Partial<Record<Measure, number>>> & { readonly cpu?: number };

/** For small events; `cpu` is that of 64 requests in flight. */
const small: readonly (readonly [Wire, ContenderName, Row])[] = [
  ["stdio", "parley", { c1: 0.9, c64: 1.2, c256: 1.2, stream: 2, cpu: 0.8 }],
  ["ws", "parley", { c1: 0.95, c64: 2, c256: 1.5, stream: 3, pubsub: 2, cpu: 0.55 }],
  ["http", "parley", { c1: 0.95, c64: 1.1, c256: 1.1, stream: 0.9, cpu: 0.9 }],
  ["http", "batched", { c1: 0.8, c64: 4, c256: 4, cpu: 0.3 }],
  ["sse", "parley", { c1: 0.95, c64: 0.95, c256: 0.95, stream: 0.95, cpu: 1 }],
  ["grpc", "native", { c1: 0.95, c64: 0.95, c256: 0.95, stream: 1, cpu: 1 }],
  ["grpc", "parley", { c1: 2.2, c64: 5, c256: 5, stream: 2.5, cpu: 0.3 }],
  ["mqtt", "parley", { c1: 0.95, c64: 1.1, c256: 1.1, stream: 2, cpu: 1 }],
];

/** Speed beside other frameworks, of small events. */
const besideOthers: readonly (readonly [Wire, OtherName, Beside, Measure, number])[] = [
  ["stdio", "mcp", "parley", "c64", 4],
  ["stdio", "mcp", "parley", "stream", 7],
  ["ws", "trpc", "parley", "c64", 4],
  ["ws", "orpc", "parley", "c64", 4],
  ["ws", "rsocket", "parley", "c64", 2.4],
  ["http", "trpc", "parley", "c64", 4.5],
  ["http", "trpc-batch", "batched", "c64", 5],
  ["http", "orpc", "parley", "c64", 4.5],
  ["http", "connect", "parley", "c64", 4.5],
  ["http", "a2a", "parley", "c64", 4.5],
  ["http", "mcp", "parley", "c64", 4.5],
  ["sse", "mcp", "parley", "c64", 7],
  ["grpc", "connect", "native", "c64", 3.3],
  ["grpc", "connect", "parley", "c64", 15],
  ["mqtt", "nest", "parley", "c1", 1.7],
];

/** For events of 16 KiB, everywhere: what is long is to cost no more than by raw code. */
const LARGE = 0.97;

/** What policies that have nothing to do may take: speed beside the same without them. */
export const RESILIENT = 0.95;

/** The goals of a contender at one measure. */
export function goalsFor({
  wire,
  contender,
  measure,
  size,
}: Pick<Figures, "wire" | "contender" | "measure" | "size">): readonly Goal[] {
  const row = small.find(([ofWire, ofContender]) => ofWire === wire && ofContender === contender)?.[2];
  if (!row) return [];
  const subject = { wire, contender, measure, size };
  if (size === "large") return [{ ...subject, of: "speed", bound: LARGE }];
  const speed = row[measure];
  return [
    ...(speed === undefined ? [] : [{ ...subject, of: "speed", bound: speed } as const]),
    ...(row.cpu === undefined || measure !== "c64" ? [] : [{ ...subject, of: "cpu", bound: row.cpu } as const]),
  ];
}

/** The goals of Parley beside another framework at one measure. */
function goalsBeside({ wire, contender, measure, size }: Figures): readonly (Goal & { readonly contender: Beside })[] {
  return besideOthers.flatMap(([ofWire, beside, parley, ofMeasure, bound]) =>
    ofWire === wire && beside === contender && ofMeasure === measure && size === "small"
      ? [{ wire, contender: parley, measure, size, of: "speed", bound, beside } as const]
      : [],
  );
}

/** What came of the goals of one contender at one measure; the figures of another framework have those of Parley beside it. */
export function resultsOf(figures: Figures): readonly GoalResult[] {
  const { toRaw, parleyTo } = figures;
  if (isOther(figures.contender)) {
    return goalsBeside(figures).flatMap((goal) => {
      const reached = parleyTo?.[goal.contender]?.speed.median;
      return reached === undefined ? [] : [{ ...goal, reached, isMet: reached >= goal.bound }];
    });
  }
  if (!toRaw) return [];
  return goalsFor(figures).map((goal) => {
    const reached = toRaw[goal.of].median;
    return { ...goal, reached, isMet: goal.of === "cpu" ? reached <= goal.bound : reached >= goal.bound };
  });
}
