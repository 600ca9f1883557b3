import { type Handler, type Interceptor, intercept } from "../call/interceptor.ts";
import type { Log } from "../call/log.ts";
import { knownOptions, type OptionNames } from "../resilience/option.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ReconnectOptions } from "../transport/reconnect/options.ts";
import { reconnecting } from "../transport/reconnect/reconnecting.ts";
import type { ReconnectingConnection } from "../transport/reconnect/reconnecting-connection.ts";
import type { CloseOptions, DialTransport } from "../transport/transport.ts";
import type { Agent } from "./agent.ts";
import type { CallStorage } from "./call-storage.ts";
import { type Client, client } from "./client.ts";
import type { Contract } from "./contract.ts";
import { findEndpoint } from "./endpoint.ts";
import { answeringOf, closeAndDrain, surround } from "./serve.ts";

/** What {@link connect} takes. */
export interface RemoteOptions {
  /** Which transports may be used; the scheme of the URL picks one. */
  readonly transports: readonly DialTransport[];
  /** Around every call made, the first outermost. */
  readonly use?: readonly Interceptor[] | undefined;
  /** Time for each call that has none of its own; not for the life of a subscription. @default none */
  readonly timeoutMs?: number | undefined;
  /** Answers calls from the peer. Without it they fail with `unimplemented`. */
  readonly agent?: Agent | Handler | undefined;
  /** How the connection comes back after a cut; `false`: it does not. @default it does, see {@link ReconnectOptions} */
  readonly reconnect?: ReconnectOptions | false | undefined;
  /** Gives up connecting; of no effect once connected. */
  readonly signal?: AbortSignal | undefined;
  /** Time for the connection and the handshake together. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** URI-reference of whoever calls; the `source` of its messages. @default "client" */
  readonly source?: string | undefined;
  /** Remembers the call being handled; one that `serve` was given too makes this client carry that call on by itself. */
  readonly storage?: CallStorage | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

const optionNames: OptionNames<RemoteOptions> = {
  transports: true,
  use: true,
  timeoutMs: true,
  agent: true,
  reconnect: true,
  signal: true,
  connectTimeoutMs: true,
  source: true,
  storage: true,
  log: true,
  runtime: true,
};

/** A client with the connection it has to itself. */
export type Remote<C extends Contract = Contract> = Client<C> &
  AsyncDisposable & {
    readonly connection: ReconnectingConnection;
    /** Takes no new calls, lets those under way end within the grace, then closes the connection. Idempotent. */
    close(options?: CloseOptions): Promise<void>;
  };

/**
 * Connects to an agent and makes a typed client of the connection. For each operation the highest version that both sides know is used.
 *
 * ```ts
 * await using remote = await connect(text, "ws://127.0.0.1:7070", { transports: [ws()] });
 * ```
 * @throws ParleyError `invalid_argument` for what is no URL or has a scheme no transport serves, `failed_precondition` when the peer does not
 * fit the contract, and whatever the transport's `connect` throws; nothing stays open then.
 */
export async function connect<C extends Contract>(
  contract: C,
  address: string | URL,
  options: RemoteOptions,
): Promise<Remote<C>> {
  knownOptions("connect", options ?? {}, optionNames);
  const { transport, url } = findEndpoint(address, options?.transports);
  const { use = [], timeoutMs, agent, reconnect, signal, connectTimeoutMs, source, storage, log, runtime } = options;
  const answering = agent && answeringOf(agent, log);
  const handler = answering && surround(answering.handle, { storage });
  const lasting = reconnecting(transport, reconnect === false ? { maxAttempts: 0 } : reconnect);
  const connection = await lasting.connect(url, { handler, signal, connectTimeoutMs, log, runtime });
  try {
    const { operations } = connection.hello;
    const remote = client(contract, intercept(connection.call, use), {
      timeoutMs,
      source,
      storage,
      operations,
      log,
      runtime,
    });
    const close = async (close?: CloseOptions): Promise<void> => {
      await closeAndDrain(connection.close(close), answering, close, runtime);
    };
    return Object.assign(remote, { connection, close, [Symbol.asyncDispose]: () => close() });
  } catch (error) {
    await connection.close({ graceMs: 0 });
    throw error;
  }
}
