import { ParleyError } from "../call/error.ts";
import { type Handler, type Interceptor, intercept } from "../call/interceptor.ts";
import type { Log } from "../call/log.ts";
import { knownOptions, type OptionNames } from "../resilience/option.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { sumStats } from "../transport/connection-stats.ts";
import type { CloseOptions, ConnectionStats, Listener, Transport } from "../transport/transport.ts";
import type { Agent, Answering } from "./agent.ts";
import { type CallStorage, storing } from "./call-storage.ts";
import type { Client } from "./client.ts";
import type { Contract } from "./contract.ts";
import { findEndpoint } from "./endpoint.ts";
import { invokeOf } from "./invoke-of.ts";
import type { TopicsOf } from "./topics-of.ts";

/** What {@link serve} takes. */
export interface ServeOptions {
  /** Which transports may be used; the scheme of a URL picks one. */
  readonly transports: readonly Transport[];
  /** Around every call that arrives, the first outermost. */
  readonly use?: readonly Interceptor[] | undefined;
  /** Remembers the call being handled; a client that was given the same one carries it on by itself. */
  readonly storage?: CallStorage | undefined;
  /** Told of what handlers throw, and what transports notice. @default none */
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

const optionNames: OptionNames<ServeOptions> = { transports: true, use: true, storage: true, log: true, runtime: true };

/** Listens until it is closed. */
export interface Server extends AsyncDisposable {
  /** The addresses to dial, with the ports that were taken, in the order in which they were asked for. */
  readonly urls: readonly [URL, ...URL[]];
  /** The sum over all listeners. */
  stats(): ConnectionStats;
  /** Takes no new calls, lets those under way end within the grace, then closes. Idempotent; resolves when nothing is left open. */
  close(options?: CloseOptions): Promise<void>;
}

/** A {@link Server} of an agent. */
export interface AgentServer<C extends Contract = Contract> extends Server {
  /** The agent's topics, for publishing to whoever subscribed. */
  readonly topics: Client<TopicsOf<C>>;
}

/**
 * Answers calls at one or several addresses. A {@link Handler} instead of an agent makes a relay: `serve(connection.call, …)`.
 * Resolves when calls can arrive at all of them; if one cannot be listened on, none stays open.
 * @throws ParleyError `invalid_argument` for what is no URL or has a scheme no transport serves; whatever a transport's `listen` throws.
 */
export async function serve<C extends Contract>(
  answerer: Agent<C>,
  addresses: string | URL | readonly (string | URL)[],
  options: ServeOptions,
): Promise<AgentServer<C>>;
export async function serve(
  answerer: Handler,
  addresses: string | URL | readonly (string | URL)[],
  options: ServeOptions,
): Promise<Server>;
export async function serve(
  answerer: Agent | Handler,
  addresses: string | URL | readonly (string | URL)[],
  options: ServeOptions,
): Promise<Server> {
  knownOptions("serve", options ?? {}, optionNames);
  const endpoints = [addresses].flat().map((address) => findEndpoint(address, options?.transports));
  if (endpoints.length === 0)
    throw new ParleyError("invalid_argument", "serve was given no address to listen on", { outcome: "not-sent" });
  const { log, runtime } = options;
  const answering = answeringOf(answerer, log);
  const handler = surround(answering.handle, options);
  const listeners: Listener[] = [];
  try {
    for (const { transport, url } of endpoints) {
      checkListens(transport);
      listeners.push(await transport.listen(url, handler, { log, runtime }));
    }
  } catch (error) {
    await Promise.allSettled(listeners.map((listener) => listener.close({ graceMs: 0 })));
    throw error;
  }
  return createServer(listeners, answering, typeof answerer === "function" ? {} : { topics: answerer.topics }, runtime);
}

/** What answers, and what it does after its answers. */
export function answeringOf(answerer: Agent | Handler, log: Log | undefined): Answering {
  return typeof answerer === "function" ? { handle: answerer, drain: async () => {} } : answerer.with({ log });
}

/** The handler within interceptors and storage. */
export function surround(handler: Handler, { use = [], storage }: Pick<ServeOptions, "use" | "storage">): Handler {
  const inner = storage ? storing(handler, storage) : handler;
  return use.length === 0 ? inner : intercept(invokeOf(inner), use);
}

/** Drains what answered after the calls are over, since one of them may have started the last notification; within one grace. */
export async function closeAndDrain(
  closed: Promise<unknown>,
  answering: Answering | undefined,
  { graceMs = 5_000 }: CloseOptions = {},
  runtime: Runtime = systemRuntime,
): Promise<void> {
  const end = runtime.now() + graceMs;
  await closed;
  await answering?.drain({ graceMs: Math.max(0, end - runtime.now()) });
}

/** Callers without types give what only dials. @throws ParleyError `unimplemented` */
function checkListens({ name, listen }: Partial<Transport>): void {
  if (listen) return;
  throw new ParleyError("unimplemented", `${name} cannot listen here: a browser dials, and whom it dials can call it`, {
    outcome: "not-sent",
  });
}

function createServer(
  listeners: readonly Listener[],
  answering: Answering,
  members: object,
  runtime: Runtime | undefined,
): Server {
  let closing: Promise<void> | undefined;
  const close = async (options?: CloseOptions): Promise<void> => {
    const closed = Promise.allSettled(listeners.map((listener) => listener.close(options)));
    await closeAndDrain(closed, answering, options, runtime);
  };
  return {
    ...members,
    urls: listeners.map(({ url }) => url) as [URL, ...URL[]], // serve refuses to listen nowhere
    stats: () => sumStats(listeners.map((listener) => listener.stats())),
    close(options) {
      closing ??= close(options);
      return closing;
    },
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
}
