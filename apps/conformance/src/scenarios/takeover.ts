import type { Environment } from "../environment.ts";
import { back, keepsCalls, quick } from "./back.ts";
import { wayTo } from "./way.ts";

interface Hello {
  readonly call?: number;
  readonly session?: string;
  readonly generation?: number;
  readonly sn?: number;
  readonly data?: unknown;
}

/** A session that somebody else resumes is theirs: whoever had it is told, loses what was under way, and comes back with another. */
export async function sessionTakenOver(env: Environment): Promise<void> {
  if (!keepsCalls(env) || !env.tap.frames) return;
  let [session, generation, sent] = ["", 0, 0];
  let terms: unknown;
  const claims: (string | undefined)[] = [];
  let thief = false;
  env.tap.rewrite((frame, from) => {
    const message = JSON.parse(frame) as Hello;
    if (from === "listener") {
      // The answer to hello names it, once.
      if (message.session !== undefined && session === "") ({ session, generation = 0 } = message);
      sent = message.sn ?? sent;
      return undefined;
    }
    if (!frame.includes('"parley.hello.v1"')) return undefined;
    claims.push(thief ? session : message.session);
    terms ??= message.data;
    if (!thief) return undefined;
    thief = false;
    // One that wants no session of its own says nothing of how it would keep one.
    return [JSON.stringify({ ...message, data: terms, session, generation: generation + 1, ack: sent, high: 1 })];
  });
  const way = await wayTo(env);
  const { connection } = await env.lasting({ url: way.url, reconnect: quick(env) });
  const made = env.calls.make(connection, "request", "gate", { data: { gate: "rec6-taken" } });
  await env.event(made.id, "gate");
  thief = true;
  await env.within(
    "the end of a dialler that is given the session of another",
    env.dial({ url: way.url }).then(
      (stolen) => stolen.close({ graceMs: 0 }),
      () => {},
    ),
  );
  const lost = await env.within(
    "the end of a call whose session was taken over",
    env.calls.error("a call whose session was taken over", made.reply),
  );
  env.caller.equal("its outcome", lost.outcome, "unknown");
  await back(env, connection);
  await env.sentinel(connection);
  env.wire.equal("the sessions that were claimed, the first dial and the thief's among them", claims, [
    undefined,
    session,
    undefined,
  ]);
  env.tap.rewrite(undefined);
  await env.serving.release("rec6-taken");
}
