import { ParleyError } from "@parley/core";
import type { Call, Envelope, Reply } from "@parley/core/transport";
import { type Mutant, mutant } from "./mutate.ts";

const never = <Value>(): Promise<Value> => new Promise(() => {});

/** Mutants of RR. */
export const requestMutants: readonly Mutant[] = [
  mutant("wrong-correlation", "RR-01", "gives replies the id of another request", () => ({
    call: (next) => async (call) =>
      changed(await next(call), (message) => ({ ...message, id: "another.r", inreplyto: "another" })),
  })),
  mutant("null-for-nothing", "RR-01", "makes null of a reply without data", () => ({
    call: (next) => async (call) =>
      changed(await next(call), (message) => ({ ...message, data: message.data ?? null })),
  })),
  mutant("first-in-first-out", "RR-02", "gives each reply to the request that waits longest", () => ({
    call: (next) => {
      const waiting: ((reply: Reply) => void)[] = [];
      return (call) => {
        if (call.kind !== "request") return next(call);
        return new Promise((resolve, reject) => {
          waiting.push(resolve);
          next(call).then((reply) => waiting.shift()?.(reply), reject);
        });
      };
    },
  })),
  mutant("dies-of-late-replies", "RR-03", "is of no more use after a reply to nobody", () => ({
    call: (next, connection) => async (call) => {
      if (connection.stats().lateMessages > 0) throw new ParleyError("internal", "a reply to nobody");
      return next(call);
    },
  })),
  mutant("drops-silently", "RR-04", "does not answer calls of unknown operations", () => ({
    handler: (next) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (error instanceof ParleyError && error.code === "unimplemented") return never();
        throw error;
      }
    },
  })),
  mutant("waits-for-handler", "RR-05", "waits for an answer to a notification", () => ({
    call: (next) => async (call) => {
      const reply = await next(call);
      return call.kind === "notify" ? never() : reply;
    },
  })),
  mutant("ignores-the-peer", "RR-06", "does not take calls on the side that dialled", () => ({
    transport: (next) => ({
      ...next,
      connect: (url, options) => next.connect(url, { ...options, handler: undefined }),
    }),
  })),
  mutant("shares-context", "RR-07", "keeps what handlers know in one place", () => ({
    handler: (next) => {
      let latest: Call;
      return (call) => {
        if (call.message.type.startsWith("conformance.context")) latest = call;
        return next(call.kind === "request" && latest ? sharing(call, () => latest) : call);
      };
    },
  })),
  mutant("retries-blindly", "RR-08", "sends a call again whose fate is unknown", () => ({
    call: (next, _connection, redial) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (!(error instanceof ParleyError) || error.code !== "unavailable" || call.aborted) throw error;
        const again = await redial();
        call.onAbort({ callAborted: () => void again.close({ graceMs: 0 }) });
        return again.call(call);
      }
    },
  })),
];

function changed(reply: Reply, change: (message: Envelope) => Envelope): Reply {
  return reply.message ? { ...reply, message: change(reply.message) } : reply;
}

function sharing(call: Call, latest: () => Call): Call {
  return {
    kind: call.kind,
    input: call.input,
    get message() {
      return latest().message;
    },
    get deadline() {
      return latest().deadline;
    },
    get context() {
      return latest().context;
    },
    get aborted() {
      return call.aborted;
    },
    get signal() {
      return call.signal;
    },
    onAbort: (listener) => call.onAbort(listener),
    offAbort: (listener) => call.offAbort(listener),
  };
}
