import { ParleyError } from "@parley/core";
import type { Call, Envelope, Invoke, Reply } from "@parley/core/transport";
import { type Faults, type Mutant, tcpMutant, withCall, withOutput } from "./mutate.ts";

/** Does something else with a call that a lost connection has ended. */
function whenLost(instead: (call: Call) => Reply | Promise<Reply>): () => Faults {
  const around =
    (next: Invoke): Invoke =>
    async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (error instanceof ParleyError && error.code === "unavailable" && !call.aborted) return instead(call);
        throw error;
      }
    };
  return () => ({ call: around });
}

/** A peer that is silent for less than it may be is given up. */
function impatient(times: number): () => Faults {
  return () => ({
    tuning: ({ heartbeatMs = 15_000, limits }) => ({ heartbeatMs: heartbeatMs / times, limits }),
  });
}

const answered = (data: unknown): (({ message }: Call) => Reply) => {
  return ({ message }) => ({
    message: { ...message, id: `${message.id}.r`, kind: "reply", data: data ?? message.data } as Envelope, // complete but for its truth
  });
};

/** Mutants of FLT. */
export const linkMutants: readonly Mutant[] = [
  tcpMutant("has-a-fixed-timer", "FLT-01", "gives a peer up that takes longer than 200 ms", impatient(10)),
  tcpMutant("starves-pings", "FLT-02", "hears no sign of life while something long is on its way", impatient(80)),
  tcpMutant(
    "hangs-on-cuts",
    "FLT-03",
    "does not tell a call that its connection has ended",
    whenLost(() => new Promise(() => {})),
  ),
  tcpMutant("waits-for-fin", "FLT-04", "takes a peer for alive until it says otherwise", () => ({
    tuning: ({ limits }) => ({ heartbeatMs: 3_600_000, limits }),
  })),
  tcpMutant("takes-part-for-whole", "FLT-05", "answers with as much as came", whenLost(answered("0123456789abcdef"))),
  tcpMutant("takes-short-stream", "FLT-05", "takes the end of the connection for the end of the stream", () => ({
    call: (next) => async (call) =>
      withOutput(await next(call), async function* (items) {
        try {
          yield* items;
        } catch (error) {
          if (!(error instanceof ParleyError) || error.code !== "unavailable") throw error;
        }
      }),
  })),
  tcpMutant("waits-for-the-peer", "FLT-06", "closes when the peer has, whatever the grace", () => ({
    transport: (next) => ({
      ...next,
      async connect(url, options) {
        const connection = await next.connect(url, options);
        return withCall(connection, connection.call, {
          close: ({ graceMs } = {}) => connection.close(graceMs === 0 ? { graceMs } : { graceMs: 3_600_000 }),
        });
      },
    }),
  })),
  tcpMutant("acknowledges-early", "FLT-07", "takes for arrived what it has written", whenLost(answered(undefined))),
  tcpMutant(
    "resets-the-slow",
    "FLT-08",
    "ends the connection to a peer that stands still for a moment",
    impatient(20),
    "process",
  ),
  tcpMutant(
    "loses-under-cuts",
    "FLT-09",
    "takes for answered what was under way when the link was cut",
    whenLost(answered(true)),
  ),
];
