import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { manualRuntime } from "../../../test/manual-runtime.ts";
import { failureOf } from "../../../test/settling.ts";
import { type ParleyError, TransportError } from "../../call/error.ts";
import type { Interceptor } from "../../call/interceptor.ts";
import { systemRuntime } from "../../runtime/runtime.ts";
import type { OperationOptions } from "../../runtime/within.ts";
import { Operation } from "./operation.ts";
import { type PolicedOperation, Policies } from "./policies.ts";

const send = { type: "test.send", kind: "notify" } as const;
const pass: Interceptor = (next) => next;
const broken = (outcome: "not-sent" | "unknown"): ParleyError => new TransportError("unavailable", "cut", { outcome });

/** An attempt that fails in turn with what is given, then succeeds; and how often it was made. */
function failing(...errors: ParleyError[]) {
  const attempts: OperationOptions[] = [];
  const attempt = async (options: OperationOptions): Promise<string> => {
    const error = errors[attempts.length];
    attempts.push(options);
    if (error) throw error;
    return "done";
  };
  return { attempts, attempt };
}

test("without policies an operation is made as its caller gave it", async () => {
  const { runtime } = manualRuntime();
  const { attempts, attempt } = failing();
  const { signal } = new AbortController();
  expect(await new Policies({}, runtime).run({ ...send, signal, timeoutMs: 7 }, attempt)).toBe("done");
  expect(attempts).toEqual([{ signal, timeoutMs: 7 }]);
});

test.each([
  ["what was not sent is made again", broken("not-sent"), {}, 2],
  ["what may have arrived is not", broken("unknown"), {}, 1],
  ["unless its effect may be had twice", broken("unknown"), { idempotent: true }, 2],
] as const)("%s", async (_, error, options, count) => {
  const policies = new Policies({ retry: { baseMs: 1 } }, systemRuntime);
  const { attempts, attempt } = failing(error);
  const made = policies.run({ ...send, ...options }, attempt);
  expect(await (count === 2 ? made : failureOf(made))).toBe(count === 2 ? "done" : error);
  expect(attempts.length).toBe(count);
});

test("policies are within the retries, know the operation by its type, and can refuse it", async () => {
  const seen: string[] = [];
  const note: Interceptor = (next) => (call) => {
    seen.push(`${call.kind} ${call.message.type}`);
    return next(call);
  };
  const { attempt, attempts } = failing(broken("not-sent"));
  await new Policies({ retry: { baseMs: 1 }, use: [note] }, systemRuntime).run(send, attempt);
  expect(seen).toEqual(["notify test.send", "notify test.send"]);
  const refusal = new TransportError("resource_exhausted", "no", { outcome: "not-sent" });
  const refusing = new Policies({ use: [() => () => Promise.reject(refusal)] }, systemRuntime);
  expect(await failureOf(refusing.run(send, attempt))).toBe(refusal);
  expect(attempts.length).toBe(2);
});

test.each<[string, (operation: PolicedOperation, clock: ReturnType<typeof manualRuntime>) => PolicedOperation, object]>(
  [
    ["its time is up", (operation) => ({ ...operation, timeoutMs: 50 }), { code: "deadline_exceeded" }],
    [
      "its caller gives up",
      (operation, { runtime }) => {
        const controller = new AbortController();
        runtime.setTimer(() => controller.abort("bored"), 50);
        return { ...operation, signal: controller.signal };
      },
      { code: "cancelled", cause: "bored" },
    ],
  ],
)(
  "when %s, the attempt is told, and what it knows of its effect is what its caller is told",
  async (_, given, error) => {
    for (const outcome of ["not-sent", "unknown"] as const) {
      const clock = manualRuntime();
      const { runtime } = clock;
      const made = new Policies({ use: [pass] }, runtime).run(given(send, clock), (options) => {
        const operation = new Operation<void>({ what: "it", runtime, ...options });
        operation.undo = () => outcome;
        return operation.promise;
      });
      const failed = failureOf(made);
      clock.advance(100);
      expect(await failed).toMatchObject({ ...error, outcome });
      expect(clock.timers).toBe(0);
    }
  },
);

test("its time is for all attempts, and nothing of it stays behind", async () => {
  const clock = manualRuntime();
  const { signal } = new AbortController();
  const { attempts, attempt } = failing(...Array.from({ length: 9 }, () => broken("not-sent")));
  const policies = new Policies({ retry: { maxAttempts: 9, baseMs: 1_000, maxMs: 1_000 } }, clock.runtime);
  const failed = failureOf(policies.run({ ...send, signal, timeoutMs: 1 }, attempt));
  clock.advance(2_000);
  expect(await failed).toMatchObject({ outcome: "not-sent" });
  expect(attempts.length).toBeLessThan(9);
  expect(clock.timers).toBe(0);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("an operation that is done is over for whoever has watched it", async () => {
  const { runtime } = manualRuntime();
  const told: string[] = [];
  const watch: Interceptor = (next) => (call) => {
    call.onAbort({ callAborted: () => told.push("aborted"), callSettled: () => told.push("settled") });
    return next(call);
  };
  await new Policies({ use: [watch] }, runtime).run({ ...send, timeoutMs: 50 }, failing().attempt);
  expect(told).toEqual(["settled"]);
});

test("a caller who has given up already makes no attempt", async () => {
  const { attempts, attempt } = failing();
  const policies = new Policies({ use: [pass] }, manualRuntime().runtime);
  expect(await failureOf(policies.run({ ...send, signal: AbortSignal.abort() }, attempt))).toMatchObject({
    code: "cancelled",
    outcome: "not-sent",
  });
  expect(attempts).toEqual([]);
});

test.each<[string, Interceptor]>([
  [
    "throws what is no ParleyError",
    () => () => {
      throw new TypeError("mine");
    },
  ],
  ["answers by itself", () => async () => ({})],
])("an interceptor that %s is told as the fault it is", async (_, fault) => {
  const policies = new Policies({ use: [fault] }, manualRuntime().runtime);
  expect(await failureOf(policies.run(send, failing().attempt))).toMatchObject({
    code: "internal",
    message: expect.stringContaining("test.send"),
    cause: expect.any(TypeError),
  });
});
