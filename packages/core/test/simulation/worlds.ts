import type { Interceptor } from "../../src/call/interceptor.ts";
import { dedupe } from "../../src/resilience/dedupe.ts";
import { resilience } from "../../src/resilience/resilience.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { Promised } from "./history.ts";
import type { Network } from "./network.ts";
import { isSurvived, type Plan, type Step, type WorldName } from "./plan.ts";
import { type BrokerMischief, SimulatedBroker } from "./simulated-broker.ts";
import { SimulatedWire } from "./simulated-wire.ts";
import type { Simulation } from "./simulation.ts";
import type { WireMischief } from "./wire-mischief.ts";

/** What a network is made from, beside its simulation. */
export interface NetworkInit {
  /** What is wrong on purpose. */
  readonly broker?: BrokerMischief | undefined;
  readonly wire?: WireMischief | undefined;
  violation(text: string): void;
}

/** What makes a world. */
export interface WorldSetting {
  readonly servers: number;
  network(simulation: Simulation, init: NetworkInit): Network;
  /** Around the client's calls. */
  use(runtime: Runtime): readonly Interceptor[];
  /** Around the servers'. */
  serverUse(runtime: Runtime): readonly Interceptor[];
  /** What is promised of the effect of a step. */
  promised(step: Step, plan: Plan): Promised;
  /** Whether publications that are missed are always told. */
  tellsGaps(plan: Plan): boolean;
  /** Whether sessions outlive all that goes wrong: nothing fails but by its own deadline, or unsent, and no gap is told. */
  isSurvived(plan: Plan): boolean;
  /** Whether all is in sessions, so that a stream that is lost after it began says `data_loss`, and effects are in the order of their calls. */
  hasSessions(plan: Plan): boolean;
  /** Time in which every call that is no subscription settles, ms. */
  readonly deadlineMs: number | undefined;
}

const none = (): readonly Interceptor[] => [];

const DEADLINE_MS = 3_000;

/** Notifications begin at once, and are not handed over for a while, shorter or longer than their acknowledgement may wait. */
const hesitates =
  (runtime: Runtime): Interceptor =>
  (next) =>
  async (call) => {
    const reply = await next(call);
    const waitMs = ((call.message.data as { readonly id?: number } | undefined)?.id ?? 0) % 3 === 0 ? 70 : 20;
    if (call.kind === "notify") await new Promise<void>((resolve) => runtime.setTimer(resolve, waitMs));
    return reply;
  };

const channel: WorldSetting = {
  servers: 1,
  network: (simulation, { wire, violation }) => new SimulatedWire(simulation, { mischief: wire, violation }),
  use: none,
  serverUse: none,
  // Handed over is all that a wire without confirmations can say of what has no answer.
  promised: ({ does }) => (does === "notify" || does === "publish" ? "at-most-once" : "once"),
  tellsGaps: () => true,
  isSurvived: () => false,
  hasSessions: () => false,
  deadlineMs: undefined,
};

/** What each world is. */
export const worldSettings: Readonly<Record<WorldName, WorldSetting>> = {
  channel,
  resilience: {
    ...channel,
    use: (runtime) => [
      resilience({
        timeoutMs: 600,
        deadlineMs: DEADLINE_MS,
        retry: { baseMs: 20, maxMs: 300, maxAttempts: 5 },
        hedge: { delayMs: 60 },
        breaker: { minCalls: 5, openMs: 200 },
        bulkhead: { maxConcurrent: 16 },
        budget: { perSecond: 50 },
        runtime,
      }),
    ],
    serverUse: (runtime) => [dedupe({ graceMs: 500, runtime })],
    // A restart forgets what was done: what may be had twice is done again, what has a key is not.
    promised: (step, plan) => (step.does === "lookup" ? "once-a-life" : channel.promised(step, plan)),
    deadlineMs: DEADLINE_MS,
  },
  broker: {
    ...channel,
    servers: 2,
    network: (simulation, { broker }) => new SimulatedBroker(simulation, broker),
    // A broker that acknowledged a notification delivers it, unless it, or whom it chose, goes wrong.
    promised: ({ does }, { faults }) => (does === "notify" && faults.length > 0 ? "at-most-once" : "once"),
    // Publications go by the broker, which may drop or repeat them.
    tellsGaps: ({ faults }) => faults.every(({ is }) => is === "stall" || is === "refuse" || is === "cut"),
  },
  sessions: {
    ...channel,
    network: (simulation, { wire, violation }) =>
      new SimulatedWire(simulation, { sessions: true, mischief: wire, violation }),
    serverUse: (runtime) => [hesitates(runtime)],
    // What is acknowledged was handed over.
    promised: (_step, plan) => (hasSessions(plan) ? "once" : "at-most-once"),
    isSurvived,
    hasSessions,
  },
};

/** Where there are too many others, or the client leaves for good, some is done without a session. */
function hasSessions({ faults }: Plan): boolean {
  return faults.every(({ is }) => is !== "crowd" && is !== "close");
}
