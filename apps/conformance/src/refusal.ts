import { ParleyError } from "@parley/core";
import type { CallKind, Connection } from "@parley/core/transport";
import type { Environment } from "./environment.ts";
import type { Capability } from "./scenario.ts";
import { wayTo } from "./scenarios/way.ts";
import { Finding, show } from "./witness.ts";

/** Time in which a wire must refuse what it declares it cannot do. */
const REFUSAL_MS = 1_000;

/**
 * G-03: uses a capability that the manifest declares absent. Resolves when it is refused honestly: `unimplemented`, `not-sent`, within a
 * second, and nothing came of it.
 * @throws Finding when it is dropped silently, refused dishonestly, or works (under-declared).
 */
export async function expectRefusal(env: Environment, capability: Capability): Promise<void> {
  if (capability === "serverInitiated") return refusesCallBack(env);
  if (capability === "resume") return endsAtCut(env);
  if (capability === "backpressure") throw new Error("there is no call by which separate streams could be refused");
  const connection = await env.connect();
  if (capability === "cancel") return cancelsHere(env, connection);
  const [kind, subject] =
    capability === "wildcards" ? (["subscribe", "a/+"] as const) : ([kindOf(capability), "a/b"] as const);
  const made = env.calls.make(connection, kind, operations[kind], {
    data: kind === "subscribe" || kind.startsWith("client") || kind.startsWith("bidi") ? undefined : {},
    attributes: kind === "publish" || kind === "subscribe" ? { subject } : {},
    ...(kind === "client-stream" || kind === "bidi-stream" ? { input: [1, 2] } : {}),
  });
  const error = await refusal(env, capability, made.reply);
  check(env, capability, error);
  env.wire.equal("whether a call that is not supported was sent", env.tap.contains("dialler", made.id), false);
  if (env.manifest.kinds.request !== "none") await env.sentinel(connection);
  env.handler.equal("effects of a call that is not supported", env.events(made.id).length, 0);
}

/** An operation of the fixture for each kind of call. */
const operations: Readonly<Record<CallKind, string>> = {
  notify: "note",
  request: "echo",
  "server-stream": "count",
  "client-stream": "upload",
  "bidi-stream": "chat",
  publish: "topics",
  subscribe: "topics",
};

function kindOf(capability: Extract<Capability, `kinds.${string}`>): CallKind {
  return capability.slice("kinds.".length) as CallKind; // by the type of Capability
}

async function refusesCallBack(env: Environment): Promise<void> {
  let asked = 0;
  const connection = await env.connect({
    handler: ({ message }) => {
      asked++;
      return { message: { ...message, id: `${message.id}.r`, kind: "reply" } };
    },
  });
  const made = env.calls.make(connection, "request", "callback", { data: "anybody there?" });
  check(env, "serverInitiated", await refusal(env, "serverInitiated", made.reply), "rejected");
  env.caller.equal("calls back that arrived", asked, 0);
  env.handler.equal("how the handler's call back ended", (await env.event(made.id, "threw")).detail, "unimplemented");
}

/** Declared `cancel: "local"`: the caller is free at once all the same. That the handler hears nothing cannot be held against a wire. */
async function cancelsHere(env: Environment, connection: Connection): Promise<void> {
  const made = env.calls.make(connection, "request", "gate", { data: { gate: "cancel" } });
  await env.event(made.id, "gate");
  env.calls.cancel(made);
  const error = await refusal(env, "cancel", made.reply);
  env.caller.equal("the code of a call that was cancelled here", error.code, "cancelled");
  await env.sentinel(connection);
  if (env.events(made.id, "aborted").length > 0)
    throw new Finding("under-declared: cancel is declared local, and the handler was told");
  await env.serving.release("cancel");
  env.handler.equal("what the handler did", (await env.event(made.id, "returned")).what, "returned");
}

/** Declared `resume: "none"`: what is cut ends with an error after what had come, and never goes on as if nothing had happened. */
async function endsAtCut(env: Environment): Promise<void> {
  const way = await wayTo(env);
  const connection = await env.connect({ url: way.url });
  await env.serving.release("cut-1", "cut-2");
  const made = env.calls.make(connection, "server-stream", "count", { data: { n: 4, gates: "cut-" } });
  const items: unknown[] = [];
  const two = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const { data } of await env.calls.output(made)) if (items.push(data) === 2) two.resolve();
  })();
  reading.catch(() => {});
  await env.within("two items", two.promise);
  way.cut("rst");
  const error = await env.within("the end of a stream that was cut", env.calls.error("a stream that was cut", reading));
  env.caller.equal("how a stream that was cut ends", [error.code, error.outcome], ["unavailable", "unknown"]);
  env.caller.equal("the items before the cut", items, [1, 2]);
  await env.serving.release("cut-3", "cut-4");
  await env.sentinel(await env.connect({ url: way.url }));
  env.handler.equal("how often the stream was asked for", env.events(made.id, "called").length, 1);
}

async function refusal(env: Environment, capability: Capability, reply: Promise<unknown>): Promise<ParleyError> {
  const late = Symbol("late");
  const timer = Promise.withResolvers<typeof late>();
  const timeout = setTimeout(() => timer.resolve(late), REFUSAL_MS * env.scale);
  try {
    const result = await Promise.race([
      reply.then(
        (value) => ({ value }),
        (error: unknown) => error,
      ),
      timer.promise,
    ]);
    if (result === late)
      throw new Finding(`${capability} is declared absent, and using it is dropped silently: no answer within 1 s`);
    if (result instanceof ParleyError) return result;
    if (result instanceof Error) throw result;
    throw new Finding(`under-declared: ${capability} is declared absent, and using it resolves with ${show(result)}`);
  } finally {
    clearTimeout(timeout);
  }
}

function check(env: Environment, capability: Capability, { code, outcome }: ParleyError, expected = "not-sent"): void {
  env.caller.equal(`how ${capability}, declared absent, is refused`, [code, outcome], ["unimplemented", expected]);
}
