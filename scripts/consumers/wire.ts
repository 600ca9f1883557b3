import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { outputOf, run } from "../published.ts";
import type { Project } from "./project.ts";

/** A wire, and the package that brings it. */
export interface Wire {
  readonly name: string;
  readonly package: string;
}

export const wires: readonly Wire[] = [
  { name: "memory", package: "@parley/core" },
  ...["ws", "http", "sse", "grpc", "mqtt", "stdio"].map((name) => ({ name, package: `@parley/transport-${name}` })),
];

/** What runs a TypeScript program: a command, and how it is called in the table. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  readonly command: readonly [string, ...string[]];
}

/** What came of a wire on a runtime. */
export interface Outcome {
  /** `yes` when both ends work on it; `calls` or `serves` when that end does, with Node at the other; or `no`. */
  readonly verdict: string;
  /** Why it is not `yes`. */
  readonly reasons: readonly string[];
}

/** What every program prints. */
const PRINTED = "days 1 2 3, north 21\n";

/** For a program; it takes a second or two. */
const TIMEOUT_MS = 60_000;

interface Trial {
  readonly project: Project;
  readonly wire: string;
  readonly runtime: Runtime;
  /** The other end, when the runtime is tried as one of them. */
  readonly reference: Runtime;
  /** URL of a broker, for wires that need one. */
  readonly broker: string;
}

/** Runs the wire's program with both ends on the runtime; when that fails, each end by itself. */
export async function tryWire(trial: Trial): Promise<Outcome> {
  const { wire, runtime, reference } = trial;
  const together = await reasonOf(programOf(trial, runtime, ["both", ...addressOf(trial)]));
  if (together === undefined) return { verdict: "yes", reasons: [] };
  if (wire === "memory") return { verdict: "no", reasons: [together] };
  const calls = await reasonOf(callFrom(trial, runtime, reference));
  const serves = await reasonOf(callFrom(trial, reference, runtime));
  const ends = [...(calls === undefined ? ["calls"] : []), ...(serves === undefined ? ["serves"] : [])];
  const reasons = [together, calls, serves].filter((reason) => reason !== undefined);
  return { verdict: ends.join(", ") || "no", reasons };
}

/** Calls from one runtime a server on another, in a process of its own. */
async function callFrom(trial: Trial, caller: Runtime, server: Runtime): Promise<void> {
  const [program, ...words] = [...server.command, `${trial.wire}.ts`, "serve", ...addressOf(trial)];
  if (trial.wire === "stdio") return programOf(trial, caller, ["call", program, ...words]);
  const child = spawn(program, words, {
    cwd: trial.project.folder,
    stdio: ["pipe", "pipe", "ignore"],
    timeout: 2 * TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const exited = once(child, "exit");
  try {
    const [url] = await Promise.race([
      once(createInterface({ input: child.stdout }), "line"),
      exited.then(() => Promise.reject(new Error(`${trial.wire} is not served on ${server.name}`))),
    ]);
    await programOf(trial, caller, ["call", url]);
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
}

/** An agent of its own for each project, since several are tried at a time. */
function addressOf({ project, wire, broker }: Trial): string[] {
  return wire === "mqtt" ? [`${broker}/agents/${project.name}`] : [];
}

async function programOf({ project, wire }: Trial, runtime: Runtime, args: readonly string[]): Promise<void> {
  const [program, ...words] = [...runtime.command, `${wire}.ts`, ...args];
  const { stdout } = await run(program, words, { cwd: project.folder, timeout: TIMEOUT_MS, killSignal: "SIGKILL" });
  if (stdout !== PRINTED) throw new Error(`${wire} on ${runtime.name} printed ${JSON.stringify(stdout)}`);
}

async function reasonOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return outputOf(error);
  }
}
