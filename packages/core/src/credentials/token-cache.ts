import { type ParleyError, toParleyError } from "../call/error.ts";
import { type Backoff, fullJitter } from "../runtime/backoff.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Credential } from "./credentials.ts";

/** A credential that ends by itself. */
export interface Token {
  readonly credential: Credential;
  /** How long the server says that it lasts, ms; whatever it says is held within bounds. */
  readonly lifetimeMs: number;
}

/** A server that says less, or nothing, is not asked more often than so. */
const MIN_LIFETIME_MS = 10_000;
const MAX_LIFETIME_MS = 86_400_000;
/** A token is replaced so long before its end, or in the last tenth of its life if that is shorter. */
const EARLY_MS = 60_000;
/** One that is refused sooner is not refused for its age. */
const MIN_AGE_MS = 10_000;
/** Pauses between requests that fail: half of each bound for certain, the rest by chance. */
const failing: Backoff = { baseMs: 500, maxMs: 30_000 };
/** Longest time for which a server may ask not to be asked, ms. */
const MAX_RETRY_AFTER_MS = 60_000;

interface Kept {
  readonly credential: Credential;
  readonly since: number;
  readonly renewAt: number;
  readonly endsAt: number;
}

/** Keeps a token, and gets another when it is time: one request at a time, early, and not again and again where it fails. */
export class TokenCache {
  readonly #request: () => Promise<Token>;
  readonly #runtime: Runtime;
  #kept: Kept | undefined;
  #renewal: Promise<Credential> | undefined;
  #failures = 0;
  #failed: ParleyError | undefined;
  #pauseUntil = Number.NEGATIVE_INFINITY;

  constructor(request: () => Promise<Token>, runtime: Runtime) {
    this.#request = request;
    this.#runtime = runtime;
  }

  /** The token, at once while there is a good one. @throws ParleyError why there is none */
  present(): Credential | Promise<Credential> {
    const now = this.#runtime.now();
    const kept = this.#kept;
    if (kept && now < kept.renewAt) return kept.credential;
    const renewal = this.#renewal ?? (now < this.#pauseUntil ? undefined : this.#renew(now));
    if (kept && now < kept.endsAt) return kept.credential;
    if (renewal) return renewal;
    throw this.#failed as ParleyError; // there is no pause before a failure
  }

  /** Lets go of a token that was refused. Returns whether there may be a better one. */
  refused(shown: Credential | undefined): boolean {
    const kept = this.#kept;
    // There is another already, or will be.
    if (!kept || kept.credential !== shown) return true;
    if (this.#runtime.now() - kept.since < MIN_AGE_MS) return false;
    this.#kept = undefined;
    return true;
  }

  #renew(since: number): Promise<Credential> {
    const renewal = this.#request()
      .then(
        (token) => this.#keep(token, since),
        (thrown: unknown) => this.#fail(toParleyError(thrown)),
      )
      .finally(() => {
        this.#renewal = undefined;
      });
    this.#renewal = renewal;
    // Before the end of the last one nobody waits for the next.
    renewal.catch(() => {});
    return renewal;
  }

  #keep({ credential, lifetimeMs }: Token, since: number): Credential {
    const lasts = Math.min(Math.max(lifetimeMs, MIN_LIFETIME_MS), MAX_LIFETIME_MS);
    const endsAt = since + lasts;
    this.#kept = { credential, since, renewAt: endsAt - Math.min(EARLY_MS, lasts / 10), endsAt };
    this.#failures = 0;
    this.#failed = undefined;
    this.#pauseUntil = Number.NEGATIVE_INFINITY;
    return credential;
  }

  #fail(error: ParleyError): never {
    this.#failures++;
    this.#failed = error;
    const drawn = fullJitter(this.#failures, failing, this.#runtime);
    const asked = Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
    this.#pauseUntil = this.#runtime.now() + Math.max(asked, (failing.baseMs + drawn) / 2);
    throw error;
  }
}
