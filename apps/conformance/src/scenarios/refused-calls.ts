import type { ParleyError } from "@parley/core";
import type { Connection } from "@parley/core/transport";
import type { Made } from "../calls.ts";
import type { Environment } from "../environment.ts";

/**
 * A call of each kind that must fail, of what exists and of what does not, and how each did. A notification or publication that the wire does not have
 * confirmed is handed over when it is sent: then there is nobody to tell.
 */
export async function everything(
  env: Environment,
  connection: Connection,
  topic: string,
  existing = "echo",
): Promise<readonly (readonly [string, ParleyError | undefined])[]> {
  const { kinds } = env.manifest;
  const calls: (readonly [string, Made])[] = [
    ["request", env.calls.make(connection, "request", existing, { data: 1 })],
    ["request of what does not exist", env.calls.make(connection, "request", "nowhere", { data: 1 })],
  ];
  if (kinds["server-stream"] !== "none")
    calls.push(["server-stream", env.calls.make(connection, "server-stream", "count", { data: { n: 1 } })]);
  if (kinds["client-stream"] !== "none")
    calls.push(["client-stream", env.calls.make(connection, "client-stream", "upload", { input: [1] })]);
  if (kinds.notify !== "none") calls.push(["notify", env.calls.make(connection, "notify", "note")]);
  const attributes = { subject: topic };
  if (kinds.publish !== "none")
    calls.push(["publish", env.calls.make(connection, "publish", "topics", { data: 1, attributes })]);
  if (kinds.subscribe !== "none")
    calls.push(["subscribe", env.calls.make(connection, "subscribe", "topics", { attributes })]);
  return Promise.all(calls.map((call) => refusal(env, call)));
}

/** How one of them failed. */
export async function refusal(
  env: Environment,
  [what, made]: readonly [string, Made],
): Promise<readonly [string, ParleyError | undefined]> {
  if (what === "publish" || what === "notify")
    return [what, await env.within(`the end of a ${what}`, failureOf(made))] as const;
  const failed = env.calls.error(`a ${what} that is refused`, made.reply);
  return [what, await env.within(`the refusal of a ${what}`, failed)] as const;
}

function failureOf({ reply }: Made): Promise<ParleyError | undefined> {
  return reply.then(
    () => undefined,
    (error: ParleyError) => error,
  );
}
