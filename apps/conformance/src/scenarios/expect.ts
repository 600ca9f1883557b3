import type { Outcome } from "@parley/core";
import { type Connection, type Envelope, hopAttributes } from "@parley/core/transport";
import type { Made } from "../calls.ts";
import type { Environment } from "../environment.ts";

/** A call that must be refused before a byte of it leaves: code, outcome, and the wire's word for it. */
export async function refusedHere(
  env: Environment,
  what: string,
  make: () => Made,
  expected: { readonly code: string; readonly outcome?: Outcome } = { code: "invalid_argument", outcome: "not-sent" },
): Promise<void> {
  const before = env.tap.bytes("dialler");
  const made = make();
  const error = await env.within(what, env.calls.error(what, made.reply));
  env.caller.equal(`${what}: the code`, error.code, expected.code);
  if (expected.outcome) env.caller.equal(`${what}: the outcome`, error.outcome, expected.outcome);
  env.wire.equal(`${what}: bytes sent for it`, env.tap.bytes("dialler") - before, 0);
}

/** A message without what the hop adds, takes away or rewrites. */
export function withoutHop(message: Envelope): Record<string, unknown> {
  return Object.fromEntries(Object.entries(message).filter(([name]) => !hopAttributes.has(name)));
}

/** How one call went that may be refused by its sender, but never arrive changed. */
export async function exactOrRefused(
  env: Environment,
  what: string,
  connection: Connection,
  make: () => Made,
): Promise<void> {
  const before = env.tap.bytes("dialler");
  const made = make();
  const answer = await env.within(
    what,
    made.reply.then(
      () => undefined,
      (error: unknown) => env.calls.error(what, Promise.reject(error)),
    ),
  );
  if (answer) {
    env.caller.equal(`${what}: the code of the refusal`, answer.code, "invalid_argument");
    env.wire.equal(`${what}: bytes sent for a refused message`, env.tap.bytes("dialler") - before, 0);
    await env.sentinel(connection);
    env.handler.equal(`${what}: calls seen of a refused message`, env.events(made.id).length, 0);
    return;
  }
  const { message } = await env.called(made.id);
  env.handler.equal(`${what}: the message as it arrived`, withoutHop(message), withoutHop(made.opener));
}

/** Passes when nothing is left open on either side; looks until T is over. */
export async function nothingOpen(env: Environment, connection: Connection): Promise<void> {
  await env.until("the caller's open calls to return to 0", () => connection.stats().openCalls === 0);
  env.caller.equal("open calls of the connection", connection.stats().openCalls, 0);
  const until = performance.now() + env.t;
  let open = (await env.servingStats()).openCalls;
  while (open > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    open = (await env.servingStats()).openCalls;
  }
  env.handler.equal("open calls of the listener", open, 0);
}

/** Numbers from 1 to n. */
export function upTo(n: number): readonly number[] {
  return Array.from({ length: n }, (_, index) => index + 1);
}

/** The data of everything an output yields. */
export async function collect(output: AsyncIterable<Envelope>): Promise<unknown[]> {
  const data: unknown[] = [];
  for await (const item of output) data.push(item.data);
  return data;
}

/** The next turn of the event loop: all promises that were due have settled. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Watches for stalls of this process's event loop, so that a loaded machine is not held against a wire. The function that it gives ends the
 * watch and tells the longest stall, ms.
 */
export function watchStalls(): () => number {
  const everyMs = 5;
  let [last, longest] = [performance.now(), 0];
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last - everyMs);
    last = now;
  };
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    look();
    return longest;
  };
}
