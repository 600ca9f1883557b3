import { type AbortListener, type Call, createLimitedAttempt, derive, type LimitedAttempt } from "../call/call.ts";
import type { ParleyError } from "../call/error.ts";
import type { Interceptor, Invoke, Reply } from "../call/interceptor.ts";
import { leave } from "../call/leave.ts";
import { withOutcome } from "../call/outcome.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { hasOutput } from "./limited-call.ts";
import { ReplayableInput } from "./replayable-input.ts";

/** Policies that take a call through together, the outermost first. */
export interface Guards {
  readonly room?: Room | undefined;
  readonly retries?: Retries | undefined;
  readonly circuit?: Circuit | undefined;
  readonly limit?: AttemptLimit | undefined;
  /** Whose clock they go by; of no use to `room`. */
  readonly runtime?: Runtime | undefined;
}

/** Bounds how many calls are under way. */
export interface Room {
  /** True: there is a place for the call, and it is taken. Otherwise `turn` is told, also of a refusal. */
  enter(call: Call, turn: Turn): boolean;
  /** The call is over, and with it its stream. */
  leave(): void;
  /** The call is answered by a stream, and over with it. */
  leaveAfter(call: Call): void;
}

/** Told once whether a call that had to wait gets a place. */
export interface Turn {
  start(): void;
  gone(reason: ParleyError): void;
}

/** Makes further attempts. */
export interface Retries {
  /** A call is made, `now`. */
  earn(now: number): void;
  /** The first attempt, made `at` an instant, has failed: makes others by `next`, or rejects. */
  again(next: Invoke, call: Call, first: FirstAttempt): Promise<Reply>;
}

/** The attempt that failed. */
export interface FirstAttempt {
  readonly at: number;
  readonly input: ReplayableInput | undefined;
  readonly thrown: unknown;
}

/** Lets attempts pass, and is told what they come to. */
export interface Circuit {
  /** The generation of the attempt. @throws ParleyError when it must not be made */
  admit(call: Call, now: number): number;
  replied(generation: number, startedAt: number): void;
  failed(generation: number, startedAt: number, call: Call, thrown: unknown): void;
}

/** Time for an attempt, until it is answered or its stream accepted. */
export interface AttemptLimit {
  readonly limitMs: number;
  /** What the error says. */
  readonly message: string;
}

const guardsOf = /* @__PURE__ */ new WeakMap<Interceptor, Guards>();

/**
 * An interceptor that takes calls through its guards: one object and one promise for all of them, and two looks at the clock. Four guards, one inside
 * the other, add 740 ns to a call that succeeds, and 390 together, of the 5,000 to 8,000 that it costs its caller over a fast wire.
 */
export function guarded(guards: Guards): Interceptor {
  const { retries, circuit, limit, runtime } = guards;
  const interceptor = (next: Invoke): Invoke => {
    const again = retries && (circuit || limit) ? guarded({ circuit, limit, runtime })(next) : next;
    const way: Way = { ...guards, next, again };
    return (call) => new Promise((resolve, reject) => new GuardedCall(way, call, resolve, reject).begin());
  };
  guardsOf.set(interceptor, guards);
  return interceptor;
}

/** The same interceptors, with neighbours that are guards made one where they stand in the order of {@link Guards} and go by one clock. */
export function together(order: readonly Interceptor[]): readonly Interceptor[] {
  const joined: Interceptor[] = [];
  for (const one of order) {
    const inner = guardsOf.get(one);
    const last = joined.at(-1);
    const outer = last && guardsOf.get(last);
    if (outer && inner && follows(outer, inner)) {
      joined.pop();
      joined.push(guarded({ ...outer, ...inner, runtime: outer.runtime ?? inner.runtime }));
    } else joined.push(one);
  }
  return joined;
}

const ranks = ["room", "retries", "circuit", "limit"] as const;

function follows(outer: Guards, inner: Guards): boolean {
  const last = ranks.findLastIndex((rank) => outer[rank]);
  const first = ranks.findIndex((rank) => inner[rank]);
  return last < first && (!outer.runtime || !inner.runtime || outer.runtime === inner.runtime);
}

interface Way extends Guards {
  readonly next: Invoke;
  /** For attempts after the first: through what is inside of `retries`. */
  readonly again: Invoke;
}

class GuardedCall implements AbortListener, Turn {
  readonly #way: Way;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: unknown) => void;
  #call: Call;
  #input: ReplayableInput | undefined;
  #attempt: LimitedAttempt | undefined;
  #startedAt = 0;
  #generation = 0;

  constructor(way: Way, call: Call, resolve: (reply: Reply) => void, reject: (error: unknown) => void) {
    this.#way = way;
    this.#call = call;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { room } = this.#way;
    if (!room || room.enter(this.#call, this)) this.start();
  }

  gone(reason: ParleyError): void {
    this.#reject(withOutcome(reason, "not-sent"));
  }

  start(): void {
    const { retries, circuit, limit, runtime } = this.#way;
    if (runtime) this.#startedAt = runtime.now();
    if (retries && this.#call.input) {
      this.#input = new ReplayableInput(this.#call.input);
      this.#call = derive(this.#call, { input: this.#input });
    }
    try {
      retries?.earn(this.#startedAt);
      if (circuit) this.#generation = circuit.admit(this.#call, this.#startedAt);
    } catch (refusal) {
      return this.#retry(refusal);
    }
    const attempt = limit && runtime ? this.#limited(limit, runtime) : this.#call;
    if (attempt === this.#attempt && attempt.aborted) return;
    try {
      this.#way.next(attempt).then(
        (reply) => this.#replied(reply),
        (thrown: unknown) => this.#failed(thrown),
      );
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  /** The attempt was given up; what comes of it later concerns nobody. */
  callAborted(reason: ParleyError): void {
    this.#judge(reason);
  }

  #limited({ limitMs, message }: AttemptLimit, runtime: Runtime): Call {
    const call = this.#call;
    const at = this.#startedAt + limitMs;
    // That its caller is out of time is no fault of the peer.
    if (call.deadline !== undefined && call.deadline <= at) return call;
    // A peer that is told of a limit keeps it for the whole stream.
    const deadline = hasOutput(call) ? call.deadline : at;
    this.#attempt = createLimitedAttempt(call, { deadline, at, message }, runtime);
    this.#attempt.onAbort(this);
    return this.#attempt;
  }

  #replied(reply: Reply): void {
    const attempt = this.#attempt;
    if (attempt) {
      if (attempt.aborted) {
        if (reply?.output) leave(reply.output[Symbol.asyncIterator]());
        return;
      }
      if (reply?.output) {
        attempt.lift();
        attempt.offAbort(this);
      } else attempt.settle();
    }
    this.#way.circuit?.replied(this.#generation, this.#startedAt);
    this.#answered(reply);
  }

  #failed(thrown: unknown): void {
    const attempt = this.#attempt;
    if (attempt?.aborted) return;
    attempt?.settle();
    this.#judge(thrown);
  }

  #judge(thrown: unknown): void {
    this.#way.circuit?.failed(this.#generation, this.#startedAt, this.#call, thrown);
    this.#retry(thrown);
  }

  #retry(thrown: unknown): void {
    const { retries, again } = this.#way;
    if (!retries) return this.#gaveUp(thrown);
    retries.again(again, this.#call, { at: this.#startedAt, input: this.#input, thrown }).then(
      (reply) => this.#answered(reply),
      (last: unknown) => this.#gaveUp(last),
    );
  }

  #answered(reply: Reply): void {
    if (reply?.output) this.#way.room?.leaveAfter(this.#call);
    else this.#way.room?.leave();
    this.#resolve(reply);
  }

  #gaveUp(thrown: unknown): void {
    this.#way.room?.leave();
    this.#reject(thrown);
  }
}
