import { Random } from "./random.ts";

/**
 * The worlds there are:
 *
 * - `channel`: calls over a wire.
 * - `resilience`: the same, with `resilience` around the client's calls and `dedupe` around the server's.
 * - `broker`: calls to two replicas behind a broker.
 * - `sessions`: calls over a wire whose connections outlive their channels.
 */
export const worldNames = ["channel", "resilience", "broker", "sessions"] as const;

/** One of {@link worldNames}. */
export type WorldName = (typeof worldNames)[number];

/** What a client does, and when (virtual ms). */
export interface Step {
  readonly atMs: number;
  /** A `request` may be had once; a `lookup` is declared idempotent; a `keyed` request has an idempotency key. */
  readonly does: "request" | "lookup" | "keyed" | "notify" | "publish" | "stream" | "upload" | "chat" | "subscribe";
  /** Items, where there are some. */
  readonly items: number;
  /** How long the handler takes, in all or between items. */
  readonly workMs: number;
  /** When it is given up, ms after its start. */
  readonly cancelAfterMs?: number;
  readonly timeoutMs?: number;
}

/** What goes wrong, and when (virtual ms). */
export type Fault =
  /** The client's links end, or swallow what goes one way, or, with a broker, both. */
  | { readonly atMs: number; readonly is: "cut" | "mute-up" | "mute-down" }
  /** The servers' links to the broker. */
  | { readonly atMs: number; readonly is: "cut-server" | "mute-server" }
  /** Everything is held up, no new link comes about, the broker drops some messages or delivers some twice, or is gone. */
  | {
      readonly atMs: number;
      readonly is: "stall" | "refuse" | "lose" | "repeat" | "broker-restart";
      readonly forMs: number;
    }
  /**
   * Of a session. What the client sent before it left arrives long after; hello arrives when the client waits no more; the answer to it is lost;
   * others come, until there are too many sessions; nobody is let in for longer than a session waits; nothing goes to the server, until the client
   * has neither its link nor its session any more.
   */
  | {
      readonly atMs: number;
      readonly is: "zombie" | "late-hello" | "lost-answer" | "crowd" | "away" | "stuck";
      readonly forMs: number;
    }
  /** The client forgets its session; somebody else wants to have it; the last hello comes once more; the client closes while it has no wire. */
  | { readonly atMs: number; readonly is: "forget" | "thief" | "echo" | "close" }
  /** A server crashes, and is there again. */
  | { readonly atMs: number; readonly is: "restart"; readonly forMs: number; readonly server: number };

/** A run, as data, so that a failing one can be made smaller. */
export interface Plan {
  readonly world: WorldName;
  readonly seed: number;
  readonly steps: readonly Step[];
  readonly faults: readonly Fault[];
}

/** When the last step may begin. */
export const STEPS_END_MS = 2_000;

const common = ["request", "request", "notify", "stream", "stream", "upload", "chat", "subscribe"] as const;

const steps: Readonly<Record<WorldName, readonly Step["does"][]>> = {
  channel: [...common, "request", "publish"],
  resilience: [...common, "lookup", "lookup", "keyed", "keyed", "keyed", "publish"],
  broker: [...common, "request"],
  sessions: [...common, "notify", "publish"],
};

const wireFaults = ["cut", "cut", "cut", "mute-up", "mute-down", "stall", "restart", "refuse"] as const;

const faults: Readonly<Record<WorldName, readonly Fault["is"][]>> = {
  channel: wireFaults,
  resilience: wireFaults,
  broker: [
    "cut",
    "cut-server",
    "mute-up",
    "mute-server",
    "stall",
    "refuse",
    "lose",
    "lose",
    "repeat",
    "repeat",
    "restart",
    "restart",
    "broker-restart",
  ],
  sessions: [
    ...wireFaults,
    "cut",
    "cut",
    "zombie",
    "zombie",
    "late-hello",
    "late-hello",
    "lost-answer",
    "lose",
    "repeat",
    "thief",
    "echo",
    "forget",
    "stuck",
    "stuck",
    "crowd",
    "away",
    "close",
  ],
};

/** Of the faults, those by which a session may be lost. */
const losing: ReadonlySet<Fault["is"]> = new Set(["restart", "forget", "stuck", "crowd", "away", "close"]);

/** Whether a session outlives all that goes wrong, so that nothing of it may be noticed but the time that it takes. */
export function isSurvived({ faults }: Plan): boolean {
  return faults.every(({ is }) => !losing.has(is));
}

/** When the client's session has been used, so that it waits the whole of its window, ms. */
const USED_MS = 300;

/** The plan of a seed. Without a world, they take turns. */
export function planOf(seed: number, world: WorldName = turnOf(seed)): Plan {
  const random = new Random(seed ^ 0x5eed);
  const steps = Array.from({ length: random.whole(1, 14) }, () => stepOf(random, world));
  const faults = Array.from({ length: random.whole(0, 5) }, () => faultOf(random, world));
  if (world !== "sessions" || faults.length === 0) return { world, seed, steps, faults };
  // What is under way when something goes wrong is what sessions are for.
  const close = steps.map((step) =>
    random.chance(0.5) ? { ...step, atMs: nearTo(random.pick(faults), random) } : step,
  );
  return { world, seed, steps: close, faults };
}

function nearTo({ atMs, is }: Fault, random: Random): number {
  return is === "stuck" ? atMs + random.whole(0, 60) : Math.max(0, atMs - random.whole(0, 60));
}

function turnOf(seed: number): WorldName {
  return worldNames[(seed - 1) % worldNames.length] as WorldName;
}

function stepOf(random: Random, world: WorldName): Step {
  return {
    atMs: random.whole(0, STEPS_END_MS),
    does: random.pick(steps[world]),
    items: random.pick([0, 1, 3, 9, 40]),
    workMs: random.pick([0, 0, 1, 5, 60, 400]),
    ...(random.chance(0.2) ? { cancelAfterMs: random.whole(0, 200) } : {}),
    ...(random.chance(0.2) ? { timeoutMs: random.whole(1, 400) } : {}),
  };
}

function faultOf(random: Random, world: WorldName): Fault {
  const atMs = random.whole(world === "sessions" ? USED_MS : 0, STEPS_END_MS);
  const forMs = random.whole(1, 800);
  const is = random.pick(faults[world]);
  switch (is) {
    case "restart":
      return { atMs, is, forMs, server: random.whole(0, 1) };
    case "stall":
    case "refuse":
    case "lose":
    case "repeat":
    case "broker-restart":
    case "zombie":
    case "late-hello":
    case "lost-answer":
    case "crowd":
    case "away":
    case "stuck":
      return { atMs, is, forMs };
    default:
      return { atMs, is };
  }
}

/** Makes a failing plan smaller while it fails, leaving out steps and faults one by one. */
export async function shrink(plan: Plan, fails: (smaller: Plan) => Promise<boolean>): Promise<Plan> {
  let smallest = plan;
  for (let shrunk = true; shrunk; ) {
    shrunk = false;
    for (const part of ["steps", "faults"] as const) {
      for (let at = smallest[part].length - 1; at >= 0; at--) {
        const smaller = { ...smallest, [part]: smallest[part].filter((_, index) => index !== at) };
        if (!(await fails(smaller))) continue;
        smallest = smaller;
        shrunk = true;
      }
    }
  }
  return smallest;
}
