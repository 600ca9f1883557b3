import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Agent, type AgentServer, agent, dedupe, serve, type Transport } from "@parley/core";
import { http } from "@parley/transport-http";
import { ws } from "@parley/transport-ws";
import { type Soak, soak } from "./contract.ts";
import { cutter } from "./cutter.ts";
import { Gate } from "./gate.ts";
import { type MemorySample, memorySlope } from "./memory.ts";
import { Tally } from "./tally.ts";
import { traffic } from "./traffic.ts";

/** Wires that can soak. */
export const soakWires = ["ws", "http"] as const;

/** One of {@link soakWires}. */
export type SoakWire = (typeof soakWires)[number];

/** What {@link run} takes. */
export interface SoakOptions {
  readonly seconds: number;
  readonly wires: readonly SoakWire[];
  /** Clients of each wire. */
  readonly clients: number;
}

/** What came of it. */
export interface SoakReport {
  readonly calls: number;
  readonly cuts: number;
  /** A line for each kind of call. */
  readonly outcomes: readonly string[];
  /** Growth of the memory in use, MiB in ten minutes; of runs that are too short to tell, undefined. */
  readonly memorySlope: number | undefined;
  /** Kinds of handles that were not there before, with how many. */
  readonly handlesLeft: readonly string[];
  /** Calls that servers counted as open in the end. */
  readonly openCalls: number;
  readonly unhandled: number;
  /** Longest time for which the process stood still, ms: what took longer on a busy machine may be its doing. */
  readonly longestPauseMs: number;
  /** Bounds that were broken, a sentence each. */
  readonly violations: readonly string[];
}

/** Growth that is allowed, MiB in ten minutes. */
export const MAX_SLOPE = 1;

/** Below this the slope is noise. */
const MIN_SECONDS = 60;

/** Part of the time that is warm-up. */
const WARM_UP = 1 / 3;

const SAMPLE_MS = 2_000;

/** Time that what was closed has to be gone. */
const SETTLE_MS = 5_000;

const transports: Readonly<Record<SoakWire, () => { readonly transport: Transport; readonly url: string }>> = {
  ws: () => ({ transport: ws({ heartbeatMs: 1_000 }), url: "ws://127.0.0.1:0" }),
  http: () => ({ transport: http(), url: "http://127.0.0.1:0" }),
};

/** Runs traffic over real wires that are cut at random, then closes everything and looks at what is left. */
export async function run(options: SoakOptions): Promise<SoakReport> {
  // Code that V8 compiles, throws away and compiles again grows for minutes, and is nothing that a program can leak.
  for (const flag of ["--no-opt", "--no-maglev"]) setFlagsFromString(flag);
  // Node opens the streams of the process when they are first asked for.
  void [process.stdout, process.stderr];
  const before = handles();
  const tally = new Tally();
  const gate = new Gate();
  let unhandled = 0;
  const count = (reason: unknown): void => {
    unhandled++;
    tally.violation(`nobody handled the rejection ${String(reason)}`);
  };
  process.on("unhandledRejection", count);
  const samples: MemorySample[] = [];
  const pauses = monitorEventLoopDelay();
  pauses.enable();
  const soaked = await Promise.all([
    ...options.wires.map((wire) => soakWire(wire, options, tally, gate)),
    sampling(options.seconds, samples, gate),
  ]);
  pauses.disable();
  const left = await handlesLeft(before);
  process.off("unhandledRejection", count);
  const slope = options.seconds < MIN_SECONDS ? undefined : memorySlope(samples);
  const wires = soaked.filter((one) => one !== undefined);
  const openCalls = wires.reduce((sum, wire) => sum + wire.openCalls, 0);
  if (slope !== undefined && slope > MAX_SLOPE)
    tally.violation(`memory grows by ${slope.toFixed(2)} MiB in ten minutes, and may by ${MAX_SLOPE}`);
  if (left.length > 0) tally.violation(`left behind: ${left.join(", ")}`);
  if (openCalls > 0) tally.violation(`${openCalls} calls are still open on servers`);
  return {
    calls: tally.calls,
    cuts: wires.reduce((sum, wire) => sum + wire.cuts, 0),
    outcomes: tally.lines(),
    memorySlope: slope,
    handlesLeft: left,
    openCalls,
    unhandled,
    longestPauseMs: pauses.max / 1e6,
    violations: tally.violations,
  };
}

async function soakWire(
  wire: SoakWire,
  { seconds, clients }: SoakOptions,
  tally: Tally,
  gate: Gate,
): Promise<{ readonly cuts: number; readonly openCalls: number }> {
  const { transport, url } = transports[wire]();
  // A memory of calls that is full before the samples are taken, and stays so however busy the machine is.
  const use = [dedupe({ maxEntries: 1_000 })];
  await using server = await serve(agentOf(), url, { transports: [transport], use });
  await using relay = await cutter(server.urls[0] as URL);
  const over = AbortSignal.timeout(Math.ceil(seconds * 1_000));
  const init = { wire, url: relay.url, transport, tally, gate, signal: over };
  await Promise.all([
    ...Array.from({ length: clients }, () => traffic(init)),
    telling(server, over),
    cutting(() => relay.cut(0.3), over),
  ]);
  await until(() => server.stats().openCalls === 0, SETTLE_MS);
  return { cuts: relay.cuts, openCalls: server.stats().openCalls };
}

function agentOf(): Agent<Soak> {
  return agent(soak, {
    double: (value) => value * 2,
    lookup: (value) => value * 2,
    note: () => {},
    async *count(items) {
      for (let item = 1; item <= items; item++) {
        if (item % 50 === 0) await pause(1);
        yield item;
      }
    },
    sum: async (items) => {
      let sum = 0;
      for await (const item of items) sum += item;
      return sum;
    },
    async *echo(items) {
      yield* items;
    },
  });
}

/** The server tells the news, one after the other. */
async function telling(server: AgentServer<Soak>, over: AbortSignal): Promise<void> {
  for (let item = 1; !over.aborted; item++) {
    await server.topics.news.publish({}, item);
    await pause(10);
  }
}

async function cutting(cut: () => void, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await pause(100 + Math.random() * 900);
    cut();
  }
}

/** Memory is looked at while no call is under way: what calls take for a moment is no growth. */
async function sampling(seconds: number, samples: MemorySample[], gate: Gate): Promise<undefined> {
  const collect = collector();
  const start = performance.now();
  for (;;) {
    const atMs = performance.now() - start;
    if (atMs >= seconds * 1_000) return;
    if (atMs >= seconds * 1_000 * WARM_UP) {
      await gate.whenIdle(() => {
        collect();
        samples.push({ atMs, heapBytes: process.memoryUsage().heapUsed });
      });
    }
    await pause(SAMPLE_MS);
  }
}

/** Collects the garbage. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void; // that is what the flag exposes
}

/** What keeps the process alive, by kind. */
function handles(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

async function handlesLeft(before: ReadonlyMap<string, number>): Promise<readonly string[]> {
  const left = (): readonly string[] =>
    [...handles()].flatMap(([kind, count]) => {
      const more = count - (before.get(kind) ?? 0);
      return more > 0 ? [`${more} ${kind}`] : [];
    });
  await until(() => left().length === 0, SETTLE_MS);
  return left();
}

/** Looks every turn, so that looking leaves no timer behind. */
async function until(done: () => boolean, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs;
  while (!done() && performance.now() < end) await pause(10);
  await new Promise<void>((resolve) => setImmediate(resolve));
}
