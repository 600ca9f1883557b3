import type { Call } from "../call/call.ts";
import { codes } from "../call/code.ts";
import { ParleyError, toParleyError } from "../call/error.ts";
import { errorData, readError } from "../call/error-event.ts";
import type { Interceptor, Invoke, Reply } from "../call/interceptor.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { DedupeRun } from "./dedupe-run.ts";
import type { DedupeRecord, DedupeResult, DedupeStore } from "./dedupe-store.ts";
import { fingerprint, hashText } from "./fingerprint.ts";
import { memoryDedupe } from "./memory-dedupe.ts";
import { durationOption } from "./option.ts";

/** What {@link dedupe} takes. */
export interface DedupeOptions {
  /** How long a call is remembered, ms; of the store that it makes for itself. @default 300_000 */
  readonly windowMs?: number | undefined;
  /** Calls that are remembered; of the store that it makes for itself. @default 65_536 */
  readonly maxEntries?: number | undefined;
  /** Where calls are remembered. @default one in memory */
  readonly store?: DedupeStore | undefined;
  /** How long a run goes on when its caller is lost or out of time, ms, since that one may call again. Once cancelled, it is given up at once. @default 5_000 */
  readonly graceMs?: number | undefined;
  /** How long a call may be on its way, ms: what was first sent so long before the oldest that is remembered may have been forgotten. @default 1_000 */
  readonly marginMs?: number | undefined;
  /** What may run again when its first run was given up, or may have been forgotten. @default nothing */
  readonly idempotent?: ((call: Call) => boolean) | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What a {@link Dedupe} has done since it was made. */
export interface DedupeStats {
  /** Calls being handled. */
  readonly running: number;
  /** Duplicates that shared a run. */
  readonly shared: number;
  /** Duplicates that got the stored answer. */
  readonly replayed: number;
  /** Calls refused because the same key came with something else. */
  readonly conflicts: number;
}

/** An interceptor that has calls handled once. */
export interface Dedupe extends Interceptor {
  stats(): DedupeStats;
}

/**
 * For the side that serves: requests and notifications that come more than once are handled once. The same are those with the same
 * `idempotencykey`, or else the same `source` and `id`, from the same principal where the peer is authenticated. A duplicate gets
 *
 * - the answer of the run that is under way, or the answer it came to, error or not;
 * - `already_exists` when its operation or data differ;
 * - `aborted`, outcome `unknown`, when the first run was given up or its answer is no longer kept; and when it is not known here, but says
 *   that it was first sent (`agems`, which `retry` writes beside a key) before all that is remembered: it may have run, and been forgotten by a
 *   restart, a full store or the window.
 *
 * An error that says to try again (a retryable code) is no effect, and is not kept. What says nothing of its age, and is older than the window or
 * was pushed out of a full store, is handled again. Plain messages of foreign callers have no id of their own, and pass.
 * @throws ParleyError `invalid_argument` for options that make no sense.
 */
export function dedupe(options: DedupeOptions = {}): Dedupe {
  const { runtime = systemRuntime, windowMs, maxEntries, idempotent = () => false } = options;
  const graceMs = durationOption("graceMs", options.graceMs ?? 5_000);
  const marginMs = durationOption("marginMs", options.marginMs ?? 1_000);
  const store = options.store ?? memoryDedupe({ windowMs, maxEntries, runtime });
  const desk = new Desk(store, { graceMs, marginMs, runtime, idempotent });
  const interceptor = (next: Invoke): Invoke => {
    return (call) => {
      const key = call.kind === "request" || call.kind === "notify" ? keyOf(call) : undefined;
      return key === undefined ? next(call) : desk.handle(next, call, key);
    };
  };
  return Object.assign(interceptor, { stats: () => desk.stats() });
}

/** What a message is known by. No attribute holds a space. */
function keyOf({ message, context }: Call): string | undefined {
  const { idempotencykey, source, id } = message;
  const principal = context.peer?.principal ?? "";
  if (idempotencykey !== undefined) return `k ${idempotencykey} ${principal}`;
  return context.foreign ? undefined : `i ${source} ${id} ${principal}`;
}

interface DeskInit {
  readonly graceMs: number;
  readonly marginMs: number;
  readonly runtime: Runtime;
  readonly idempotent: (call: Call) => boolean;
}

class Desk {
  readonly #store: DedupeStore;
  readonly #init: DeskInit;
  readonly #runs = new Map<string, DedupeRun>();
  #shared = 0;
  #replayed = 0;
  #conflicts = 0;

  constructor(store: DedupeStore, init: DeskInit) {
    this.#store = store;
    this.#init = init;
  }

  stats(): DedupeStats {
    return { running: this.#runs.size, shared: this.#shared, replayed: this.#replayed, conflicts: this.#conflicts };
  }

  async handle(next: Invoke, call: Call, key: string): Promise<Reply> {
    const { message } = call;
    const mark = (fingerprint(message.data).hash ^ hashText(message.type, 0)) >>> 0;
    const claimed = this.#store.claim(key, mark);
    // No turn of the event loop between the claim and the run, where the store knows at once.
    const known = claimed instanceof Promise ? await claimed : claimed;
    if (known) return this.#duplicate(call, { key, mark, known });
    if (message.agems !== undefined && (await this.#mayBeForgotten(call, message.agems))) {
      await this.#store.release(key);
      throw unclear(message.type, "was sent before all that is remembered here");
    }
    return this.#first(next, call, key);
  }

  async #mayBeForgotten(call: Call, ageMs: number): Promise<boolean> {
    if (this.#init.idempotent(call)) return false;
    const completeForMs = await (this.#store.completeForMs?.() ?? Number.POSITIVE_INFINITY);
    return ageMs + this.#init.marginMs >= completeForMs;
  }

  async #first(next: Invoke, call: Call, key: string): Promise<Reply> {
    const run = new DedupeRun(call, { next, ...this.#init });
    this.#runs.set(key, run);
    void this.#keep(key, call, run);
    return run.join(call);
  }

  /** Remembers what a run comes to. */
  async #keep(key: string, call: Call, run: DedupeRun): Promise<void> {
    let result: DedupeResult | undefined;
    try {
      const { message } = await run.settled;
      result = { state: "done", message };
    } catch (thrown) {
      result = this.#resultOf(call, run, toParleyError(thrown));
    }
    try {
      if (result) await this.#store.settle(key, result, sizeOf(result));
      else await this.#store.release(key);
    } catch {
      // A store that fails keeps the key as running: the next of it is answered with `aborted`, which is safe.
    } finally {
      this.#runs.delete(key);
    }
  }

  #resultOf(call: Call, run: DedupeRun, error: ParleyError): DedupeResult | undefined {
    if (run.aborted) return this.#init.idempotent(call) ? undefined : { state: "aborted" };
    return codes[error.code].retryable ? undefined : { state: "failed", error: errorData(error) };
  }

  #duplicate(
    call: Call,
    { key, mark, known }: { readonly key: string; readonly mark: number; readonly known: DedupeRecord },
  ): Promise<Reply> {
    const { type } = call.message;
    if (known.fingerprint !== mark) {
      this.#conflicts++;
      throw new ParleyError(
        "already_exists",
        `a call with the key of this one had another type than ${type}, or other data`,
      );
    }
    const run = this.#runs.get(key);
    if (run && !known.result && !run.aborted) {
      this.#shared++;
      return run.join(call).then((reply) => addressed(reply.message, call));
    }
    if (!known.result) throw unclear(type, run ? "is being given up" : "runs elsewhere, or did when its process ended");
    switch (known.result.state) {
      case "done":
        this.#replayed++;
        return Promise.resolve(addressed(known.result.message, call));
      case "failed":
        this.#replayed++;
        throw readError(known.result.error);
      case "forgotten":
        throw unclear(type, "was answered, and its answer is no longer kept");
      case "aborted":
        throw unclear(type, "was given up while it ran");
    }
  }
}

/** The answer as one to this call, which may have another id. */
function addressed(message: Envelope | undefined, { message: { id } }: Call): Reply {
  if (!message) return {};
  const own: Envelope = { ...message, id: `${id}.r` };
  return { message: own.inreplyto === undefined ? own : { ...own, inreplyto: id } };
}

function unclear(type: string, what: string): ParleyError {
  return new ParleyError("aborted", `the first call of ${type} with this key ${what}`, { outcome: "unknown" });
}

function sizeOf(result: DedupeResult): number {
  if (result.state === "done") return fingerprint(result.message).bytes;
  return result.state === "failed" ? fingerprint(result.error).bytes : 0;
}
