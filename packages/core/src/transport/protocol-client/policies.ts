import { ownFault } from "../../agent/open-call.ts";
import { createCall } from "../../call/call.ts";
import { type ContextKey, contextKey } from "../../call/context.ts";
import { cancelled, ParleyError } from "../../call/error.ts";
import { type Interceptor, type Invoke, intercept, type Reply } from "../../call/interceptor.ts";
import { withOutcome } from "../../call/outcome.ts";
import { createEnvelope } from "../../envelope/create.ts";
import type { CallKind } from "../../envelope/envelope.ts";
import { durationOption } from "../../resilience/option.ts";
import { type RetryOptions, retry } from "../../resilience/retry.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { OperationOptions } from "../../runtime/within.ts";

/** What a person says of all operations of a protocol's client. */
export interface PolicyOptions {
  /**
   * Makes operations again that failed: what was not sent, and, of what is `idempotent`, also what may have arrived. See core's `retry`; it is
   * around `use`. `{}` for the defaults. @default none
   */
  readonly retry?: Omit<RetryOptions, "runtime"> | undefined;
  /**
   * Around every attempt at an operation, the first outermost: `breaker()`, `rateLimit()`, `bulkhead()`, `resilience(…)`. The `type` of a call is
   * the protocol and the method: `mqtt.publish`.
   */
  readonly use?: readonly Interceptor[] | undefined;
}

/** What an operation takes whose effect may be had once too often. */
export interface EffectOptions extends OperationOptions {
  /** Whether its effect may be had twice, so that `retry` may make it again when it may have arrived. @default false */
  readonly idempotent?: boolean | undefined;
}

/** An operation as policies see it. */
export interface PolicedOperation extends EffectOptions {
  /** `mqtt.publish` */
  readonly type: string;
  readonly kind: Extract<CallKind, "request" | "notify" | "publish" | "subscribe">;
}

/** One attempt at an operation. What it rejects with has the true outcome, also when it is given up. */
export type Attempt<Value> = (options: OperationOptions) => Promise<Value>;

/** The reply to an operation that this process makes of it. */
interface Done extends Reply {
  readonly value: unknown;
}

/** Finds the operation of a call, whatever interceptors have made of the call. */
const ATTEMPT: ContextKey<Attempt<unknown>> = contextKey("operation of a protocol's client");

/** Takes the operations of a protocol's client through the policies that its user gave. Without any it does nothing and costs nothing. */
export class Policies {
  readonly #invoke: Invoke | undefined;
  readonly #runtime: Runtime;

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: PolicyOptions, runtime: Runtime) {
    const policies = policiesOf(options, runtime);
    this.#invoke = policies.length === 0 ? undefined : intercept(invoke, policies);
    this.#runtime = runtime;
  }

  /** Makes the operation, as often as the policies say. Its time is for all attempts. @throws ParleyError that of the last attempt */
  run<Value>(operation: PolicedOperation, attempt: Attempt<Value>): Promise<Value> {
    const { signal, timeoutMs } = operation;
    return this.#invoke ? this.#call(this.#invoke, operation, attempt) : attempt({ signal, timeoutMs });
  }

  async #call<Value>(through: Invoke, operation: PolicedOperation, attempt: Attempt<Value>): Promise<Value> {
    const { type, kind, signal, timeoutMs, idempotent } = operation;
    if (signal?.aborted) throw withOutcome(cancelled(signal.reason, "not-sent"), "not-sent");
    const runtime = this.#runtime;
    const message = createEnvelope({ kind, type, source: "client" }, runtime);
    const deadline = timeoutMs === undefined ? undefined : runtime.now() + durationOption("timeoutMs", timeoutMs);
    const call = createCall({ kind, message, deadline, idempotent }, runtime);
    const abort = (): void => call.abort(withOutcome(cancelled(signal?.reason, "unknown"), "unknown"));
    call.context.set(ATTEMPT, attempt);
    signal?.addEventListener("abort", abort);
    try {
      const reply = await through(call);
      if (reply && "value" in reply) return reply.value as Value; // what the attempt came to
      throw new TypeError("an interceptor gave an answer of its own");
    } catch (thrown) {
      throw ownFault(thrown, type);
    } finally {
      signal?.removeEventListener("abort", abort);
      call.settle();
    }
  }
}

/** The interceptors of a client, outermost first. @throws ParleyError `invalid_argument` for options that make no sense */
export function policiesOf({ retry: again, use = [] }: PolicyOptions, runtime: Runtime): readonly Interceptor[] {
  return again ? [retry({ ...again, runtime }), ...use] : use;
}

/** Makes one attempt; whoever gives up the call gives it up, and it says what is then known of its effect. */
const invoke: Invoke = async (call): Promise<Done> => {
  const attempt = call.context.get(ATTEMPT);
  if (!attempt) throw new ParleyError("internal", "an interceptor of the client has made a call of its own");
  return { value: await attempt({ signal: call.signal }) };
};
