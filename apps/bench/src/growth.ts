import { Parties } from "./parties.ts";
import { type ContenderName, type Curve, isMeasured, type Wire, type Workload } from "./plan.ts";
import type { Party, Sample } from "./process/party.ts";

/** What to draw curves of. */
export interface GrowthOptions {
  readonly wires: readonly Wire[];
  readonly curves: readonly Curve[];
  readonly rounds: number;
  /** Length of a slice of work, 1 being the full one; a shorter curve ends sooner as well. */
  readonly scale: number;
}

/** How cost grows over one wire. */
export interface Growth {
  readonly wire: Wire;
  readonly curve: Curve;
  readonly steps: readonly GrowthStep[];
  /** Why a contender's curve ends before the last step. */
  readonly ended: Readonly<Partial<Record<ContenderName, string>>>;
}

/** One point of the curves. */
export interface GrowthStep {
  /** Requests in flight, connections, subscriptions, or bytes. */
  readonly at: number;
  readonly samples: Readonly<Partial<Record<ContenderName, readonly Sample[]>>>;
}

/** Policies and types do not grow. */
const grown: readonly ContenderName[] = ["raw", "parley"];

const steps: Readonly<Record<Curve, readonly number[]>> = {
  "in-flight": [1, 10, 100, 1_000, 10_000],
  connections: [1, 10, 100, 1_000, 5_000],
  subscriptions: [1, 10, 100, 1_000, 10_000],
  "item-bytes": [100, 1_000, 10_000, 100_000, 2 ** 20, 2 ** 22, 2 ** 24],
};

/** Over HTTP and SSE each call under way has a socket of its own, and Parley takes as many as `maxCalls` says, 1,024. */
const MAX_HTTP_CALLS = 1_000;

/** What a short curve goes up to. */
const shortest: Readonly<Record<Curve, number>> = {
  "in-flight": 1_000,
  connections: 100,
  subscriptions: 100,
  "item-bytes": 2 ** 20,
};

/** Rounds of the first step that are not counted, until all is compiled. */
const FIRST_ROUNDS = 4;

const OPERATIONS = 10_000;
const BYTES = 64 * 2 ** 20;

/** Of raw code without flow control more would be a test of its buffers. */
const MAX_ITEMS = 10_000;
const MIN_ITEMS = 4;

/** Beside the attributes of an event. */
const EVENT_BYTES = 300;

/**
 * Draws the curves of each wire, telling each as it is done. A contender that fails at a step, with too many sockets, say, has no further
 * ones.
 * @throws Error when a process does not start.
 */
export async function* grow({ wires, curves, rounds, scale }: GrowthOptions): AsyncGenerator<Growth, void, undefined> {
  for (const wire of wires) {
    for (const curve of curves.filter((one) => isMeasured(wire, one))) {
      await using parties = await Parties.start(wire, grown);
      const ended: Partial<Record<ContenderName, string>> = {};
      const taken: GrowthStep[] = [];
      for (const at of stepsOf(wire, curve, scale)) {
        const work = workAt(curve, at, scale);
        const turn = (party: Party): Promise<Sample | undefined> => tryRun(party, work, ended);
        const warmUp = taken.length === 0 ? FIRST_ROUNDS : 1;
        taken.push({ at, samples: await parties.takeTurns(turn, { warmUp, rounds }) });
      }
      yield { wire, curve, steps: taken, ended };
    }
  }
}

async function tryRun(
  party: Party,
  work: Workload,
  ended: Partial<Record<ContenderName, string>>,
): Promise<Sample | undefined> {
  if (ended[party.name] !== undefined) return undefined;
  try {
    return await party.run(work);
  } catch (error) {
    ended[party.name] = (error as Error).message.split("\n", 1)[0] ?? "";
    return undefined;
  }
}

/** The steps of a curve; a run that is not of full length leaves out the long ones. */
export function stepsOf(wire: Wire, curve: Curve, scale = 1): readonly number[] {
  const isHttp = wire === "http" || wire === "sse";
  const bounded = isHttp && (curve === "in-flight" || curve === "subscriptions");
  const most = Math.min(
    scale < 1 ? shortest[curve] : Number.POSITIVE_INFINITY,
    bounded ? MAX_HTTP_CALLS : Number.POSITIVE_INFINITY,
  );
  return steps[curve].filter((at) => at <= most);
}

/** The work of one slice at a step. */
export function workAt(curve: Curve, at: number, scale = 1): Workload {
  const count = Math.max(Math.round(OPERATIONS * scale), 2 * at);
  switch (curve) {
    case "in-flight":
      return { does: "requests", content: "small", count, inFlight: at, connections: 1 };
    case "connections":
      return { does: "requests", content: "small", count, inFlight: 64, connections: at };
    case "subscriptions":
      return { does: "publications", content: "small", count, topics: at, subscribers: 1 };
    case "item-bytes": {
      const items = Math.round((BYTES * scale) / (at + EVENT_BYTES));
      return { does: "streams", content: at, streams: 1, items: Math.min(MAX_ITEMS, Math.max(MIN_ITEMS, items)) };
    }
  }
}
