import { type ChildProcess, fork } from "node:child_process";
import type { Environment } from "../environment.ts";
import { ORDER } from "../serving/control.ts";
import type { VisitorOrder } from "../serving/visitor-process.ts";

/** How a visitor left. */
export interface Departure {
  /** From its last word, when everything was closed, to its exit, ms. */
  readonly exitedAfterMs: number;
  readonly code: number | null;
}

/** Starts a process that connects, asks, closes, and is left to exit by itself. @throws Error with its last words when it does not get so far */
export async function visit(env: Environment, module: string): Promise<Departure> {
  const child = start({ module, url: env.tapping === "in-process" ? undefined : (await env.url()).href });
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-2_000);
  });
  let closedAt: number | undefined;
  child.on("message", () => {
    closedAt = performance.now();
    child.disconnect();
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 4 * env.t);
  try {
    const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
    if (closedAt === undefined)
      throw new Error(`the visiting process ended (exit code ${code}) before it had closed:\n${words}`);
    return { exitedAfterMs: performance.now() - closedAt, code };
  } finally {
    clearTimeout(timer);
  }
}

/** Starts a process that connects and stays, with a call under way; resolves when it has. The caller kills it. */
export async function stay(env: Environment, module: string): Promise<ChildProcess> {
  const child = start({ module, url: (await env.direct()).href, stays: true });
  await new Promise((resolve) => child.once("message", resolve));
  return child;
}

function start(order: VisitorOrder): ChildProcess {
  const here = import.meta.url;
  const name = here.endsWith(".ts") ? "../serving/visitor-process.ts" : "../serving/visitor-process.js";
  return fork(new URL(name, here), [], {
    env: { ...process.env, [ORDER]: JSON.stringify(order) },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: [],
  });
}
