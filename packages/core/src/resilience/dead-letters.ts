import { type Call, createCall } from "../call/call.ts";
import { ParleyError, toParleyError } from "../call/error.ts";
import { errorData } from "../call/error-event.ts";
import type { Handler, Interceptor, Invoke, Reply } from "../call/interceptor.ts";
import type { CallKind, Envelope } from "../envelope/envelope.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { type DeadLetter, type DeadLetterStore, memoryDeadLetters } from "./dead-letter-store.ts";
import { countOption } from "./option.ts";
import { promised } from "./promised.ts";

/** What {@link deadLetters} takes. */
export interface DeadLettersOptions {
  /** Failures of one message after which it is dead. @default 5 */
  readonly maxAttempts?: number | undefined;
  /** @default one in memory, for 1,000 letters */
  readonly store?: DeadLetterStore | undefined;
  /** Messages whose failures are counted; beyond that the one that failed longest ago begins anew. @default 10_000 */
  readonly maxTracked?: number | undefined;
  /** Told of each letter, kept or not: the alarm. Must not throw. */
  readonly onDeadLetter?: ((letter: DeadLetter, kept: boolean) => void) | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What redriving came to. */
export interface Redriven {
  readonly done: number;
  readonly failed: number;
  /** It was given up, because most failed again. */
  readonly stopped: boolean;
}

/** An interceptor that keeps messages that nobody can handle. */
export interface DeadLetters extends Interceptor {
  /** At most `limit` letters, oldest first. @default 100 */
  list(limit?: number): Promise<readonly DeadLetter[]>;
  /**
   * Sends letters again, one after the other, oldest first; one that is answered is forgotten, one that fails is kept with its attempts
   * counted on. Stops when, of 10 or more, over half have failed again.
   * @param answer where to: an agent's `handle`, a connection's `call`. @param limit letters. @default 100
   */
  redrive(answer: Handler, limit?: number): Promise<Redriven>;
}

const STOP_AFTER = 10;

/**
 * Counts how often a message fails, redelivered or sent again, and puts it aside when that was often enough, as it came, with the last reason.
 * The sender of a notification or publication that was put aside is told that it was accepted, so that it is not delivered for ever; every
 * other call fails as it did. When the store is full the failure is passed on, and told.
 *
 * Belongs around whatever fails with the message: a sender, or a consumer that handles before it accepts. An agent accepts a notification
 * before its handler has run, and tells its log of what fails then.
 * @throws ParleyError `invalid_argument` for what is no count.
 */
export function deadLetters(options: DeadLettersOptions = {}): DeadLetters {
  const { store = memoryDeadLetters(), onDeadLetter, runtime = systemRuntime } = options;
  const maxAttempts = countOption("maxAttempts", options.maxAttempts ?? 5, 1);
  const failures = new Failures(countOption("maxTracked", options.maxTracked ?? 10_000, 1));

  /** Whether it is kept. */
  async function bury(message: Envelope, error: ParleyError, attempts: number): Promise<boolean> {
    const letter = { key: keyOf(message), message, reason: errorData(error), attempts, diedAt: runtime.date() };
    let kept = true;
    try {
      await store.put(letter);
    } catch {
      kept = false;
    }
    onDeadLetter?.(letter, kept);
    return kept;
  }

  async function failed({ kind, message, aborted }: Call, thrown: unknown): Promise<Reply> {
    if (aborted || !(thrown instanceof ParleyError)) throw thrown;
    const key = keyOf(message);
    const attempts = failures.add(key);
    if (attempts < maxAttempts) throw thrown;
    const kept = await bury(message, thrown, attempts);
    if (kept) failures.delete(key);
    if (kept && (kind === "notify" || kind === "publish")) return {};
    throw thrown;
  }

  const interceptor = (next: Invoke): Invoke => {
    return (call) =>
      promised(next, call).then(
        (reply) => {
          if (failures.size > 0) failures.delete(keyOf(call.message));
          return reply;
        },
        (thrown: unknown) => failed(call, thrown),
      );
  };

  return Object.assign(interceptor, {
    async list(limit = 100) {
      return store.list(limit);
    },
    async redrive(answer: Handler, limit = 100) {
      let [done, lost] = [0, 0];
      for (const letter of await store.list(limit)) {
        if (done + lost >= STOP_AFTER && lost > done) return { done, failed: lost, stopped: true };
        const call = createCall({ kind: letter.message.kind as CallKind, message: letter.message }, runtime);
        try {
          await answer(call);
          await store.delete(letter.key);
          done++;
        } catch (thrown) {
          lost++;
          await bury(letter.message, toParleyError(thrown), letter.attempts + 1);
        } finally {
          call.settle();
        }
      }
      return { done, failed: lost, stopped: false };
    },
  });
}

function keyOf({ source, id }: Envelope): string {
  return `${source} ${id}`;
}

/** How often each message has failed, the one that failed longest ago first. */
class Failures {
  readonly #maxTracked: number;
  readonly #counts = new Map<string, number>();

  constructor(maxTracked: number) {
    this.#maxTracked = maxTracked;
  }

  get size(): number {
    return this.#counts.size;
  }

  add(key: string): number {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.delete(key);
    this.#counts.set(key, count);
    if (this.#counts.size > this.#maxTracked)
      for (const oldest of this.#counts.keys()) return this.#forget(oldest, count);
    return count;
  }

  delete(key: string): void {
    this.#counts.delete(key);
  }

  #forget(oldest: string, count: number): number {
    this.#counts.delete(oldest);
    return count;
  }
}
