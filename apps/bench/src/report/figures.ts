import type { Comparison } from "../compare.ts";
import { type Beside, isOther, type OtherName, others } from "../others.ts";
import type { ContenderName, Measure, Size, Wire } from "../plan.ts";
import type { Sample } from "../process/party.ts";
import { median, pairedRatio, type Ratio } from "../ratio.ts";

/** One contender at one measure. */
export interface Figures {
  readonly wire: Wire;
  readonly measure: Measure;
  readonly size: Size;
  readonly contender: ContenderName;
  /** Requests, items or deliveries; median over the rounds. */
  readonly perSecond: number;
  /** CPU time of all processes for 100,000 of them, the same; null where it cannot be told. */
  readonly cpuSecondsPer100k: number | null;
  /** Of requests. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Memory of both processes at the most, so far. */
  readonly peakMiB: number | null;
  /** Beside raw code; absent for raw itself. */
  readonly toRaw?: Compared;
  /** Beside the same without policies; of `resilient`. */
  readonly toTyped?: Compared;
  /** Parley beside this one; of other frameworks. */
  readonly parleyTo?: Readonly<Partial<Record<Beside, Compared>>>;
}

/** A contender in relation to another, round by round. */
export interface Compared {
  /** Operations per second; higher is better. */
  readonly speed: Ratio;
  /** CPU time of all processes; lower is better. */
  readonly cpu: Ratio;
}

/** What each contender did. */
export function figuresOf({ wire, measure, size, samples }: Comparison): readonly Figures[] {
  const { raw, typed } = samples;
  return Object.entries(samples).map(([name, own]) => {
    const contender = name as ContenderName; // a key of the samples
    return {
      wire,
      measure,
      size,
      contender,
      perSecond: median(own.map(perSecond)),
      cpuSecondsPer100k: orNull(median(own.map(cpuPerOperation)) * 100_000),
      ...latencies(own),
      peakMiB: orNull(Math.max(...own.map(({ peakMiB }) => peakMiB))),
      ...(raw && contender !== "raw" ? { toRaw: compared(own, raw) } : {}),
      ...(typed && contender === "resilient" ? { toTyped: compared(own, typed) } : {}),
      ...(isOther(contender) ? { parleyTo: parleyTo(contender, own, samples) } : {}),
    };
  });
}

function parleyTo(
  name: OtherName,
  own: readonly Sample[],
  samples: Comparison["samples"],
): Readonly<Partial<Record<Beside, Compared>>> {
  const ratios = others[name].beside.map((beside) => {
    const parley = samples[beside];
    return [beside, parley && compared(parley, own)] as const;
  });
  return Object.fromEntries(ratios.filter(([, ratio]) => ratio));
}

function compared(own: readonly Sample[], reference: readonly Sample[]): Compared {
  return {
    speed: pairedRatio(own.map(perSecond), reference.map(perSecond)),
    cpu: pairedRatio(own.map(cpuPerOperation), reference.map(cpuPerOperation)),
  };
}

function latencies(samples: readonly Sample[]): { readonly p50Ms: number; readonly p99Ms: number } | undefined {
  const timed = samples.filter(({ p50Ms }) => p50Ms !== undefined);
  if (timed.length === 0) return undefined;
  return {
    p50Ms: median(timed.map(({ p50Ms = Number.NaN }) => p50Ms)),
    p99Ms: median(timed.map(({ p99Ms = Number.NaN }) => p99Ms)),
  };
}

function perSecond({ operations, elapsedMs }: Sample): number {
  return (operations / elapsedMs) * 1_000;
}

function cpuPerOperation({ operations, cpuSeconds }: Sample): number {
  return cpuSeconds / operations;
}

/** A number, or what JSON has in place of NaN. */
export function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
