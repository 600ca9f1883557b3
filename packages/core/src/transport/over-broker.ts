import { createCall } from "../call/call.ts";
import { cancelled, ParleyError, TransportError, toParleyError } from "../call/error.ts";
import type { Handler } from "../call/interceptor.ts";
import type { Log } from "../call/log.ts";
import { withOutcome } from "../call/outcome.ts";
import { shortId } from "../envelope/id.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import type { Broker, OpenBroker } from "./broker/broker.ts";
import { BrokerConnection } from "./broker/broker-connection.ts";
import { BrokerListener } from "./broker/broker-listener.ts";
import type { ExchangeInit } from "./broker/exchange.ts";
import { MAX_BATCH_ITEMS } from "./channel/item-batch.ts";
import type { Limits } from "./manifest.ts";
import { channelLimits } from "./over-channel.ts";
import type { Connection, Listener } from "./transport.ts";

/** What a peer behind a broker bears unless it says otherwise: shorter streams are on their way, since what a broker cannot pass on it drops. */
export const brokerLimits: Limits = { ...channelLimits, windowItems: 256, windowBytes: 256 * 1024 };

/** What calls over a broker need to know, on both sides. */
export interface BrokerOptions {
  /** Name of the transport, for the handler's `context.peer`. */
  readonly transport: string;
  /** Name of the agent that is addressed, or served. */
  readonly agent: string;
  /** What this side bears. @default {@link brokerLimits} */
  readonly limits?: Limits | undefined;
  /** Address of the broker, or whatever tells where the peer is. @default the sender as the broker gives it */
  readonly address?: string | undefined;
  /** Identity of the peer, where the broker's arrivals do not say. */
  readonly principal?: string | undefined;
  /** Time in which somebody must take a call; then it fails with `unavailable`, `unknown`. @default 2_000 */
  readonly acceptWithinMs?: number | undefined;
  /** How often both sides of a stream, or of a request that takes its time, say that they still have it, ms. @default 5_000 */
  readonly leaseMs?: number | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** Options of {@link dialBroker}. */
export interface DialBrokerOptions extends BrokerOptions {
  /** Answers calls from the agent. Without it they fail with `unimplemented`. */
  readonly handler?: Handler | undefined;
  /** Gives up connecting; of no effect once connected. */
  readonly signal?: AbortSignal | undefined;
  /** Time for the link and the handshake together. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
}

/** Options of {@link listenBroker}. */
export interface ListenBrokerOptions extends BrokerOptions {
  /** The address to dial. */
  readonly url: URL;
  /** Whether what the agent publishes in its process goes to the broker's topics too. @default true */
  readonly bridgesTopics?: boolean | undefined;
}

/**
 * Connects to an agent behind a broker. Publications and subscriptions go to the broker's own topics. When the link is lost the connection
 * has ended.
 * @throws ParleyError `unavailable` (`not-sent`) when the broker cannot be reached or nobody serves the agent, `deadline_exceeded`,
 * `failed_precondition` when no profile is common, and what `open` throws; the link is closed then.
 */
export async function dialBroker(open: OpenBroker, options: DialBrokerOptions): Promise<Connection> {
  const { agent, handler, signal, connectTimeoutMs = 10_000 } = options;
  const init: ExchangeInit = { ...initOf(options), dialled: true, handler };
  const { runtime } = init;
  const giveUp = new AbortController();
  const place = options.address === undefined ? agent : `${agent} at ${options.address}`;
  const late = new TransportError("deadline_exceeded", `not connected to ${place} within ${connectTimeoutMs} ms`, {
    outcome: "not-sent",
  });
  const cancelTimer = runtime.setTimer(() => giveUp.abort(late), connectTimeoutMs);
  const abort = (): void => giveUp.abort(cancelled(signal?.reason, "not-sent"));
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  let connection: BrokerConnection | undefined;
  let broker: Broker | undefined;
  let downEarly: ParleyError | undefined;
  try {
    broker = await opened(
      open(
        {
          inbox: (arrival) => connection?.exchange.receive(arrival, "inbox"),
          refused: (error, unread) => connection?.exchange.unreadable(error, unread),
          down(error) {
            downEarly = error;
            connection?.lose(error);
          },
        },
        giveUp.signal,
      ),
      giveUp.signal,
    );
    if (downEarly) throw downEarly;
    const made = new BrokerConnection(broker, agent, init);
    connection = made;
    const message = made.helloMessage();
    const call = createCall({ kind: "request", message }, runtime);
    const abortCall = (): void => call.abort(giveUp.signal.reason);
    giveUp.signal.addEventListener("abort", abortCall);
    try {
      await made.greet(call);
    } finally {
      giveUp.signal.removeEventListener("abort", abortCall);
      call.settle();
    }
    return made;
  } catch (thrown) {
    const error = giveUp.signal.aborted ? (giveUp.signal.reason as ParleyError) : toParleyError(thrown);
    connection?.lose(error);
    await broker?.close().catch(() => {});
    throw withOutcome(error, "not-sent");
  } finally {
    cancelTimer();
    signal?.removeEventListener("abort", abort);
  }
}

/**
 * Serves an agent behind a broker; several that serve the same name share the calls where the broker can. Resolves when calls can arrive.
 * A link that is lost later comes back by itself, at growing intervals; the log is told.
 * @throws ParleyError what `open` and the broker's `subscribe` throw; nothing stays open then.
 */
export async function listenBroker(
  open: OpenBroker,
  handler: Handler,
  options: ListenBrokerOptions,
): Promise<Listener> {
  const { agent, url, bridgesTopics: bridged = true } = options;
  const listener = new BrokerListener(open, { ...initOf(options), agent, url, handler, bridged });
  await listener.connect();
  return listener;
}

function initOf(options: BrokerOptions): Omit<ExchangeInit, "dialled" | "handler"> {
  const { transport, address, principal, limits = brokerLimits, runtime = systemRuntime, log } = options;
  const { acceptWithinMs = 2_000, leaseMs = 5_000 } = options;
  for (const [name, value] of Object.entries({ acceptWithinMs, leaseMs })) {
    if (!(value > 0)) throw new ParleyError("invalid_argument", `${name} must be positive, and is ${value}`);
  }
  return {
    peer: { transport, address, principal },
    hop: { limits, batchItems: MAX_BATCH_ITEMS, heartbeatMs: Math.ceil(leaseMs) },
    source: `/${shortId(runtime)}`,
    acceptWithinMs,
    runtime,
    log,
  };
}

/** The link, unless it is given up first: then it is closed should it still come about. */
function opened(opening: Promise<Broker>, signal: AbortSignal): Promise<Broker> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason);
      opening.then(
        (late) => late.close().catch(() => {}),
        () => {},
      );
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    opening.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
