import { setTimeout as sleep } from "node:timers/promises";
import { errorFor, ParleyError } from "@parley/core";
import { type Call, createCall, systemRuntime } from "@parley/core/transport";
import { abortion, detached, type Mutant, mutant, withCall } from "./mutate.ts";

/** Changes every error that a call fails with. */
function failing(change: (error: ParleyError) => ParleyError) {
  return () => ({
    call: (next: (call: Call) => Promise<object>) => async (call: Call) => {
      try {
        return await next(call);
      } catch (error) {
        throw error instanceof ParleyError ? change(error) : error;
      }
    },
  });
}

/** Mutants of HS, ERR and DL. */
export const connectionMutants: readonly Mutant[] = [
  mutant("ignores-peer-limits", "HS-01", "keeps to its own limit and not to the peer's", () => ({
    frameAfterTap: (frame) =>
      frame.includes("futurelimit")
        ? [frame.replace('"maxMessageBytes":16384', '"maxMessageBytes":4194304')]
        : undefined,
  })),
  mutant("picks-lowest-version", "HS-02", "chooses the lowest version that both sides know", () => ({
    transport: (next) => ({
      ...next,
      async connect(url, options) {
        const connection = await next.connect(url, options);
        const { operations = {} } = connection.hello;
        const lowest = Object.entries(operations).map(([name, { kind, versions }]) => {
          return [
            name,
            { kind, versions: name.endsWith(".older") ? versions.slice(0, 2) : versions.slice(0, 1) },
          ] as const;
        });
        return withCall(connection, connection.call, {
          hello: { ...connection.hello, operations: Object.fromEntries(lowest) },
        });
      },
    }),
  })),
  mutant("forgives-disorder", "HS-03", "passes over a call before hello, and a second hello", () => ({
    frameAfterTap: (frame) => (frame.includes('"early"') || frame.includes('"second-hello"') ? [] : undefined),
  })),
  mutant("waits-for-ever", "HS-04", "has no connect timeout", () => ({
    transport: (next) => ({
      ...next,
      connect: (url, options) => next.connect(url, { ...options, connectTimeoutMs: 3_600_000 }),
    }),
  })),
  mutant("hangs-on-strangers", "HS-05", "does not notice that connecting has failed", () => ({
    transport: (next) => ({
      ...next,
      connect: (url, options) => next.connect(url, options).catch(() => new Promise(() => {})),
    }),
  })),
  mutant(
    "collapses-codes",
    "ERR-01",
    "makes internal of every error",
    failing(({ message }) => errorFor("internal", message)),
  ),
  mutant(
    "strips-messages",
    "ERR-02",
    "trims the text of errors",
    failing(({ code, message, ...rest }) => errorFor(code, message.trim(), rest)),
  ),
  mutant("leaks-stacks", "ERR-03", "tells the caller where a handler failed", () => ({
    handler: (next) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (!(error instanceof ParleyError) || error.code !== "internal") throw error;
        throw new ParleyError("internal", String((error.cause as Error | undefined)?.stack ?? error.stack));
      }
    },
  })),
  mutant("success-with-error", "ERR-04", "has a table of codes of its own", () => ({
    frame: (frame) =>
      frame.includes('"kind":"error"') ? [frame.replace(/"code":"\w+"/, '"code":"error"')] : undefined,
  })),
  mutant("ends-process", "ERR-05", "goes down with a handler that throws", () => ({
    handler: (next, _options, close) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (error instanceof ParleyError && error.code === "internal") close();
        throw error;
      }
    },
  })),
  mutant("keeps-deadline-to-itself", "DL-01", "does not tell the peer of the deadline", () => ({
    call: (next) => (call) =>
      call.deadline === undefined ? next(call) : Promise.race([next(detached(call)), abortion(call)]),
  })),
  mutant("sends-instants", "DL-02", "sends the deadline as an instant of its own wall clock", () => ({
    call: (next) => (call) => {
      if (call.deadline === undefined) return next(call);
      const endsat = String(Date.now() + call.deadline - systemRuntime.now());
      return next(detached(call, { message: { ...call.message, endsat } }));
    },
    handler:
      (next, { runtime = systemRuntime }) =>
      (call) => {
        const { endsat } = call.message;
        if (typeof endsat !== "string") return next(call);
        const { kind, message, context } = call;
        const deadline = runtime.now() + Number(endsat) - runtime.date();
        const own = createCall({ kind, message, context, deadline, parent: call });
        return Promise.resolve(next(own)).finally(() => own.settle());
      },
  })),
  mutant("sends-late-calls", "DL-03", "sends calls that are over already", () => ({
    call: (next) => (call) =>
      next(call.aborted || (call.deadline ?? Number.POSITIVE_INFINITY) < systemRuntime.now() ? detached(call) : call),
  })),
  mutant("waits-after-cancel", "DL-04", "settles a cancelled call some time later", () => ({
    call: (next) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        await sleep(30);
        throw error;
      }
    },
  })),
  mutant("closes-on-cancel", "DL-05", "closes the connection to cancel a call", () => ({
    call: (next, connection) => (call) => {
      call.onAbort({ callAborted: () => void connection.close({ graceMs: 0 }) });
      return next(call);
    },
  })),
  mutant("settles-twice", "DL-06", "makes a call once more when its deadline is near", () => ({
    call: (next) => (call) => {
      if (call.message.type.startsWith("conformance.delay")) next(detached(call)).catch(() => {});
      return next(call);
    },
  })),
];
