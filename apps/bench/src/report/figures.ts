import type { ContenderName, Measure, Size, Wire } from "../plan.ts";
import type { Sample } from "../process/party.ts";
import { median, pairedRatio, type Ratio } from "../ratio.ts";
import type { Comparison } from "../run.ts";

/** What was measured. */
export interface Subject {
  readonly wire: Wire;
  readonly measure: Measure;
  readonly size: Size;
}

/** A contender in relation to raw, over the rounds. */
export interface ComparedFigures extends Subject {
  readonly contender: ContenderName;
  /** Operations per second; higher is better. */
  readonly speed: Ratio;
  /** CPU time of both processes; lower is better. */
  readonly cpu: Ratio;
}

/** A contender by itself: medians over the rounds. */
export interface AbsoluteFigures extends Subject {
  readonly contender: ContenderName;
  /** Requests, items or deliveries. */
  readonly perSecond: number;
  /** CPU time of both processes for 100,000 of them. */
  readonly cpuSecondsPer100k: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

/** How each contender compares with raw. */
export function comparedFigures({ wire, measure, size, samples }: Comparison): readonly ComparedFigures[] {
  const { raw = [], ...others } = samples;
  return Object.entries(others).map(([contender, own]) => ({
    wire,
    measure,
    size,
    contender: contender as ContenderName, // a key of the samples
    speed: pairedRatio(own.map(perSecond), raw.map(perSecond)),
    cpu: pairedRatio(own.map(cpuPerOperation), raw.map(cpuPerOperation)),
  }));
}

/** What each contender did by itself. */
export function absoluteFigures({ wire, measure, size, samples }: Comparison): readonly AbsoluteFigures[] {
  return Object.entries(samples).map(([contender, own]) => ({
    wire,
    measure,
    size,
    contender: contender as ContenderName, // a key of the samples
    perSecond: median(own.map(perSecond)),
    cpuSecondsPer100k: median(own.map(cpuPerOperation)) * 100_000,
    ...latencies(own),
  }));
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
