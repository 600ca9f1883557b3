import { type Invoke, type ResilienceOptions, resilience } from "@parley/core";
import { createCall, createEnvelope } from "@parley/core/transport";
import {
  bulkhead,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel";

/** A way of making a call that is answered at once. */
export interface PolicyContender {
  readonly name: string;
  call(): Promise<unknown>;
}

const message = createEnvelope({ kind: "request", type: "bench.echo.v1", source: "/bench" });
const reply = Promise.resolve({ message });
const answer: Invoke = () => reply;

/** Parley's, which all have a call to make and to settle. */
function parley(name: string, options: ResilienceOptions | undefined): PolicyContender {
  const invoke = options ? resilience(options)(answer) : answer;
  return {
    name,
    async call() {
      const call = createCall({ kind: "request", message, idempotent: true });
      try {
        await invoke(call);
      } finally {
        call.settle();
      }
    },
  };
}

/** Retry, breaker, bulkhead and timeout, set as alike as both allow. */
function cockatiel(): PolicyContender {
  const policy = wrap(
    bulkhead(100, 100),
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    circuitBreaker(handleAll, {
      halfOpenAfter: 5_000,
      breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
    }),
    timeout(1_000, TimeoutStrategy.Aggressive),
  );
  return { name: "cockatiel: bulkhead, retry, breaker, timeout", call: () => policy.execute(() => reply) };
}

const four: ResilienceOptions = { bulkhead: { maxConcurrent: 100 }, retry: {}, breaker: {}, timeoutMs: 1_000 };

/** The first is what the others cost more than. */
export const policyContenders: readonly PolicyContender[] = [
  parley("parley: no policy", undefined),
  parley("parley: bulkhead, retry, breaker, timeout", four),
  parley("parley: all (and deadline, rate limit, budget, hedge)", {
    ...four,
    deadlineMs: 5_000,
    rateLimit: { perSecond: 1e9, burst: 1e9 },
    hedge: { delayMs: 500 },
  }),
  cockatiel(),
];
