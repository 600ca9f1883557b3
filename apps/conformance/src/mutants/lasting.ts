import { ParleyError, TransportError } from "@parley/core";
import {
  type Call,
  createCall,
  createRuntime,
  derive,
  onGap,
  type ReconnectingConnection,
  type ReconnectOptions,
  type Reply,
  systemRuntime,
  type Transport,
} from "@parley/core/transport";
import type { Reconnecting } from "../lasting.ts";
import { abortion, detached, type Faults, type Mutant, mutant, tcpMutant, withOutput } from "./mutate.ts";

/** Has the connections of a transport come back by other rules. */
function rules(change: (options: ReconnectOptions) => ReconnectOptions): () => Faults {
  return () => ({
    reconnecting:
      (next) =>
      (transport, options = {}) =>
        next(transport, { ...options, ...change(options) }),
  });
}

/** Has a connection that comes back do something else. */
function doing(
  change: (connection: ReconnectingConnection, dial: () => Promise<unknown>) => Partial<ReconnectingConnection>,
): () => Faults {
  const around: (next: Reconnecting) => Reconnecting = (next) => (transport, options) => {
    const again = next(transport, options);
    return {
      ...again,
      async connect(url, how) {
        const connection = await again.connect(url, how);
        const { call } = connection;
        return {
          call,
          get hello() {
            return connection.hello;
          },
          get state() {
            return connection.state;
          },
          closed: connection.closed,
          stats: () => connection.stats(),
          ping: () => connection.ping(),
          onState: (listener) => connection.onState(listener),
          health: (limits) => connection.health(limits),
          close: (closing) => connection.close(closing),
          [Symbol.asyncDispose]: () => connection.close(),
          ...change(connection, () => transport.connect(url, how)),
        };
      },
    };
  };
  return () => ({ reconnecting: around });
}

/** Has attempts to dial go otherwise. */
function dialling(change: (transport: Transport) => Transport["connect"]): () => Faults {
  return () => ({
    reconnecting: (next) => (transport, options) => next({ ...transport, connect: change(transport) }, options),
  });
}

/** Does something else with a call whose connection was lost under it. */
function whenLost(instead: (call: Call, again: () => Promise<Reply>) => Promise<Reply>): () => Faults {
  return () => ({
    call: (next, _connection, redial) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (!(error instanceof ParleyError) || error.code !== "unavailable" || call.aborted) throw error;
        return instead(call, async () => (await redial()).call(call));
      }
    },
  });
}

function silently(call: Call): Call {
  const silent = derive(call, {});
  silent.context.set(onGap, () => {});
  return silent;
}

/** A subscription that is to outlive cuts goes on without a word of what it may have missed. */
export const silent: () => Faults = doing(({ call }) => ({
  call: (own) => call(own.kind === "subscribe" ? silently(own) : own),
}));

/** A subscription that is to outlive cuts is not made again. */
export const forgetting: () => Faults = doing(({ call }) => ({
  call: async (own) => {
    if (own.kind !== "subscribe") return call(own);
    // Without what asks for it to be made again.
    const alone = createCall({ kind: own.kind, message: own.message });
    own.onAbort({ callAborted: (reason) => alone.abort(reason) });
    return withOutput(await call(alone), async function* (items) {
      try {
        yield* items;
      } catch (error) {
        if (own.aborted) throw error;
        own.context.get(onGap)?.(new ParleyError("data_loss", "something may be missing", { outcome: "unknown" }));
        await abortion(own);
      }
    });
  },
}));

/** Mutants of REC. */
export const lastingMutants: readonly Mutant[] = [
  mutant(
    "reconnects-at-once",
    "REC-01",
    "tries again and again without a pause",
    rules(() => ({ baseMs: 0.01, maxMs: 0.01 })),
  ),
  mutant("reconnects-in-step", "REC-01", "has all clients try again at the same time", () => ({
    reconnecting: (next) => (transport, options) => {
      const again = next(transport, options);
      // What is drawn for a delay is four bytes; ids are longer.
      const randomBytes = (target: Uint8Array): void =>
        void (target.length > 4 ? systemRuntime.randomBytes(target) : target.fill(0x80));
      const runtime = createRuntime({ ...systemRuntime, randomBytes });
      return { ...again, connect: (url, how) => again.connect(url, { ...how, runtime }) };
    },
  })),
  mutant(
    "never-gives-up",
    "REC-01",
    "pays no heed to how often it may try",
    rules(() => ({ maxAttempts: undefined })),
  ),
  tcpMutant(
    "keeps-lost-calls",
    "REC-02",
    "leaves calls waiting whose connection is gone",
    whenLost(() => new Promise(() => {})),
  ),
  tcpMutant(
    "sends-lost-calls-again",
    "REC-02",
    "sends a request again that may have arrived",
    whenLost((_call, again) => again()),
  ),
  mutant("forgets-subscriptions", "REC-05", "does not make a subscription again", forgetting),
  mutant("resubscribes-silently", "REC-05", "does not tell that publications may be missing", silent),
  mutant(
    "waits-without-bound",
    "REC-05",
    "lets any number of calls wait",
    rules(() => ({ maxWaiting: undefined })),
  ),
  mutant(
    "flushes-out-of-order",
    "REC-05",
    "makes the last call that waited first",
    doing((connection) => {
      const waiting: (() => void)[] = [];
      connection.onState(({ state }) => {
        if (state === "open") for (const go of waiting.splice(0).reverse()) go();
      });
      return {
        call: (call) => {
          if (connection.state !== "reconnecting" || call.kind !== "request") return connection.call(call);
          if (waiting.length === 8)
            return Promise.reject(new TransportError("resource_exhausted", "8 wait", { outcome: "not-sent" }));
          return new Promise((resolve) => waiting.push(() => resolve(connection.call(call))));
        },
      };
    }),
  ),
  mutant(
    "reconnects-after-close",
    "REC-06",
    "dials again when its user has closed it",
    doing((connection, dial) => ({
      close: async (options) => {
        await connection.close(options);
        await dial();
      },
    })),
  ),
  mutant(
    "reconnects-when-refused",
    "REC-06",
    "dials on when the peer refuses it",
    dialling((transport) => (url, options) => {
      return transport.connect(url, options).catch((error: ParleyError) => {
        throw new TransportError("unavailable", error.message, { outcome: "not-sent" });
      });
    }),
  ),
  mutant("takes-sessions-back", "REC-06", "claims a session again that another has taken over", () => {
    let session: string | undefined;
    return {
      frame(frame, from) {
        if (from === "listener") {
          session ??= /"session":"([^"]+)"/.exec(frame)?.[1];
          return undefined;
        }
        return session !== undefined && frame.includes('"parley.hello.v1"') && !frame.includes('"session":')
          ? [frame.replace("{", `{"session":"${session}","generation":9,"ack":0,"high":0,`)]
          : undefined;
      },
    };
  }),
  mutant(
    "waits-for-lost-hello",
    "REC-07",
    "waits for an answer to hello as long as it takes",
    dialling((transport) => (url, options) => transport.connect(url, { ...options, connectTimeoutMs: 3_600_000 })),
  ),
  mutant(
    "sends-cancelled-calls",
    "REC-08",
    "makes what waited whether or not anybody still wants it",
    doing((connection) => ({
      call: (call) =>
        connection.state === "reconnecting"
          ? Promise.race([connection.call(detached(call)), abortion(call)])
          : connection.call(call),
    })),
  ),
  mutant(
    "waits-for-the-peer-to-close",
    "REC-09",
    "closes when the peer is back",
    doing((connection) => ({
      close: async (options) => {
        if (connection.state === "reconnecting") {
          await new Promise<void>((resolve) => connection.onState(({ state }) => state === "open" && resolve()));
        }
        await connection.close(options);
      },
    })),
  ),
  tcpMutant(
    "sends-without-key-again",
    "REC-10",
    "sends a request again of which the peer cannot know that it is the same",
    doing(({ call }) => ({
      call: async (own) => {
        try {
          return await call(own);
        } catch (error) {
          const { message } = own;
          if (!(error instanceof ParleyError) || error.outcome !== "unknown" || message.idempotencykey) throw error;
          return call(derive(own, { message: { ...message, idempotencykey: message.id } }));
        }
      },
    })),
    "process",
  ),
];
