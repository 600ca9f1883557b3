import type { Call } from "../call/call.ts";
import { AuthenticationError, ParleyError, TransportError, toParleyError } from "../call/error.ts";
import type { Handler, Reply } from "../call/interceptor.ts";
import type { Log } from "../call/log.ts";
import type { CallKind } from "../envelope/envelope.ts";
import { reply } from "../envelope/follow.ts";
import { parseType } from "../envelope/version.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { type AnnouncedOperation, HELLO } from "../transport/hello.ts";
import type { CloseOptions } from "../transport/transport.ts";
import { type AgentTopics, agentTopics } from "./agent-topics.ts";
import { type Client, client } from "./client.ts";
import type { Contract } from "./contract.ts";
import { type HandledCallInit, handledCall } from "./handled-call.ts";
import type { Handlers } from "./handlers.ts";
import { createHub, type Hub } from "./hub.ts";
import { andThen, isPromise, type Maybe } from "./maybe.ts";
import { nearest } from "./nearest.ts";
import { Notifications } from "./notifications.ts";
import { ownSource } from "./own-source.ts";
import { refusal, reportFailure } from "./refusal.ts";
import { answerRoute, createRoute, type Route, type UntypedHandler } from "./route.ts";
import { type TopicsOf, topicsOf } from "./topics-of.ts";
import { announce, answeredVersions } from "./version.ts";

/** Something that answers calls, with what it still does for calls that have their answer. */
export interface Answering {
  /** Answers calls; throws, or rejects with, a ParleyError. Does not need its object: hand it on freely. */
  readonly handle: Handler;
  /** Resolves when no handler of a `notify` runs any more; after the grace those that still do are aborted. */
  drain(options?: CloseOptions): Promise<void>;
}

/** A contract with its handlers. Made by {@link agent}. */
export interface Agent<C extends Contract = Contract> extends Answering {
  readonly name: string;
  readonly contract: C;
  /** Its topics, typed, for publishing and subscribing in this process. */
  readonly topics: Client<TopicsOf<C>>;
  /** What its topics run on; takes any topic. */
  readonly hub: Hub;
  /** The same agent, telling another log. `serve` and `connect` use it. */
  with(surroundings: { readonly log?: Log | undefined }): Answering;
}

/** What {@link agent} takes. */
export interface AgentOptions {
  /** What it calls itself in the handshake. @default the contract's name */
  readonly name?: string | undefined;
  /** URI-reference of the agent; the `source` of its messages. @default its name */
  readonly source?: string | undefined;
  /**
   * Whether a caller who is known as this principal may call with this `source`; if not, the call is refused with `permission_denied`. Not
   * asked about callers whom nobody has authenticated. For a relay, which passes on what others say:
   * `(source, principal) => principal === "urn:agent:relay" || ownSource(source, principal)`. @default {@link ownSource}
   */
  readonly acceptSource?: ((source: string, principal: string) => boolean) | undefined;
  /** Takes topics. @default a hub of its own */
  readonly hub?: Hub | undefined;
  /** Told of what handlers throw. @default that of `serve` */
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/**
 * Binds handlers to a contract. The agent answers all versions that the contract describes, publications and subscriptions, and the
 * handshake.
 *
 * ```ts
 * const summarizer = agent(text, { summarize: ({ text }) => ({ summary: text.slice(0, 80) }) });
 * ```
 * @throws ParleyError `invalid_argument` when a handler is missing, or belongs to no operation.
 */
export function agent<C extends Contract>(contract: C, handlers: Handlers<C>, options: AgentOptions = {}): Agent<C> {
  const { name = contract.name, source = name, hub = createHub(), runtime = systemRuntime } = options;
  const { acceptSource = ownSource } = options;
  const operations = announce(contract);
  const routes = routesOf(contract, handlers);
  const topics = agentTopics(contract, hub);
  const hello = { name, operations };
  const answering = (log: Log | undefined): Answering => {
    const notifications = new Notifications(runtime);
    const handledInit = { source, runtime, log, topics: () => topicsClient };
    const parts: AnsweringParts = {
      operations,
      routes,
      topics,
      hello,
      notifications,
      source,
      acceptSource,
      runtime,
      log,
      handledInit,
    };
    return { handle: (call) => answer(call, parts), drain: (close) => notifications.drain(close) };
  };
  const own = answering(options.log);
  const topicsClient = client(topicsOf(contract), own.handle, { source, runtime, log: options.log });
  return { name, contract, topics: topicsClient, hub, ...own, with: ({ log }) => answering(options.log ?? log) };
}

interface AnsweringParts {
  readonly operations: Readonly<Record<string, AnnouncedOperation>>;
  readonly routes: ReadonlyMap<string, Route>;
  readonly topics: AgentTopics;
  readonly hello: object;
  readonly notifications: Notifications;
  readonly source: string;
  readonly acceptSource: NonNullable<AgentOptions["acceptSource"]>;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  readonly handledInit: HandledCallInit;
}

function routesOf<C extends Contract>({ name, operations }: C, handlers: Handlers<C>): ReadonlyMap<string, Route> {
  // Looked up by name, and each checked to be a function.
  const given = handlers as Readonly<Record<string, unknown>>;
  const routes = new Map<string, Route>();
  for (const [key, operation] of Object.entries(operations)) {
    if (operation.kind === "topic") continue;
    const handler = given[key];
    if (typeof handler !== "function")
      throw unfit(`the agent has no handler for ${name}.${key}; every operation of the contract needs one`);
    const method: UntypedHandler = (input, call) => handler.call(handlers, input, call);
    for (const version of answeredVersions(operation)) {
      const route = createRoute(`${name}.${key}`, operation, version, method);
      routes.set(route.type, route);
    }
  }
  const extra = Object.keys(given).find(
    (key) => typeof given[key] === "function" && operations[key]?.kind === undefined,
  );
  if (extra !== undefined) {
    throw unfit(
      `the handler ${extra} belongs to no operation of the contract ${name}${meaning(nearest(extra, Object.keys(operations)))}`,
    );
  }
  return routes;
}

function answer(call: Call, parts: AnsweringParts): Maybe<Reply> {
  try {
    const answered = dispatch(call, parts);
    if (!isPromise(answered)) return answered;
    return answered.catch((thrown: unknown) => {
      throw refusal(thrown, call, parts.log);
    });
  } catch (thrown) {
    throw refusal(thrown, call, parts.log);
  }
}

function dispatch(call: Call, parts: AnsweringParts): Maybe<Reply> {
  const { kind, message, deadline, context } = call;
  const { routes, topics, notifications, runtime, handledInit, log } = parts;
  if (call.aborted) throw call.aborted;
  if (deadline !== undefined && deadline <= runtime.now()) {
    throw new TransportError("deadline_exceeded", `the deadline had passed when the call of ${message.type} arrived`);
  }
  const principal = context.peer?.principal;
  if (principal !== undefined && !parts.acceptSource(message.source, principal))
    throw notTheirs(message.source, principal);
  if (kind === "publish") return topics.publish(call);
  if (kind === "subscribe") return topics.subscribe(call);
  const route = routes.get(message.type);
  if (route?.kind !== kind) {
    if (message.type === HELLO && kind === "request") return { message: reply(message, parts.source, parts.hello) };
    throw route ? otherKind(message.type, route.kind, kind) : unknownType(message.type, kind, parts);
  }
  if (kind !== "notify") return answerRoute(route, call, handledCall(call, handledInit), parts);
  return andThen(route.read(message.data), (input) => {
    notifications.start(
      call,
      (own) => route.handler(input, handledCall(own, handledInit)),
      (thrown, own) => reportFailure(toParleyError(thrown), own, log),
    );
    return {};
  });
}

function notTheirs(source: string, principal: string): ParleyError {
  const message = `the source ${source} is not one of ${principal}, who calls; call with a source of your own, or one without a scheme`;
  return new AuthenticationError("permission_denied", message, { outcome: "rejected" });
}

function otherKind(type: string, kind: string, called: CallKind): ParleyError {
  return new ParleyError("invalid_argument", `${type} is a ${kind}, and was called as ${called}`);
}

function unknownType(type: string, kind: CallKind, { operations, routes }: AnsweringParts): ParleyError {
  const { name = "", version } = parseType(type) ?? {};
  const known = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (known?.kind === "publish") return otherKind(type, "topic", kind);
  if (known) {
    const message = `${name} has version ${known.versions.join(", ")} here, not ${version}`;
    return new ParleyError("failed_precondition", message, {
      details: { offered: [version], supported: known.versions },
    });
  }
  return new ParleyError("unimplemented", `there is no operation ${type} here${meaning(nearest(type, routes.keys()))}`);
}

function meaning(names: readonly string[]): string {
  return names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
}

function unfit(message: string): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
