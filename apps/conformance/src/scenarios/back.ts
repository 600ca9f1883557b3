import { type ReconnectOptions, retry } from "@parley/core";
import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import type { Lasting } from "../lasting.ts";
import { nextTurn } from "./expect.ts";

/** A policy for what is to be back soon. */
export function quick(env: Environment): ReconnectOptions {
  return { baseMs: env.t / 100, maxMs: env.t / 20, waitMs: 4 * env.t };
}

/** Whether what is under way at a cut goes on. */
export interface CutPolicy {
  readonly onCut: "resume" | "settle";
  readonly resumed: boolean;
}

/** What can become of calls at a cut: where the session is the connection's, it can be done without. */
export function cutPolicies(env: Environment): readonly CutPolicy[] {
  if (env.manifest.resume === "none") return [{ onCut: "resume", resumed: false }];
  const resumed = { onCut: "resume", resumed: true } as const;
  return keepsCalls(env) ? [resumed, { onCut: "settle", resumed: false }] : [resumed];
}

/** Whether calls of every kind outlive a cut: the session is that of a connection, and not of one stream. */
export function keepsCalls({ manifest }: Environment): boolean {
  return manifest.resume === "session" && manifest.ordering === "connection";
}

/** Asks until there is an answer, T and some attempts long at most: the connection is back. */
export async function back(env: Environment, connection: Connection): Promise<void> {
  const asking = { call: retry({ ...quick(env), maxAttempts: 1_000 })(connection.call) };
  const data = "back?";
  const attributes = { idempotencykey: `back-${env.random.hex(8)}` };
  await env.within(
    "an answer after the connection was lost",
    env.calls.request(asking, "echo", { data, attributes }),
    (env.children ? 4 : 2) * env.t,
  );
}

/** Whether a connection whose way is blocked notices by itself: one that has a socket for each call fails these, and stays open. */
export async function leaves(env: Environment, { connection, changes }: Lasting): Promise<boolean> {
  const before = changes.length;
  const left = (): boolean => connection.state !== "open" || changes.length > before;
  const asked = Promise.withResolvers<void>();
  const timer = setTimeout(asked.resolve, env.t / 2);
  connection.ping().then(
    () => {},
    () => asked.resolve(),
  );
  await asked.promise;
  clearTimeout(timer);
  for (let turn = 0; turn < 10 && !left(); turn++) await nextTurn();
  return left();
}
