import type { Call } from "../call/call.ts";
import { cancelled, ParleyError, TransportError } from "../call/error.ts";
import type { Reply } from "../call/interceptor.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type OperationOptions, within } from "../runtime/within.ts";
import type { Credential, Credentials } from "./credentials.ts";

/** How long {@link Presenter.presentWithin} waits, and what gives it up. */
export interface PresentOptions extends OperationOptions {
  readonly runtime: Runtime;
}

/** What a connection can do about a peer that no longer accepts who calls. */
export interface Renewal {
  /** What shows a credential: each call by itself, or dialling, so that another one takes another connection. */
  readonly by: "call" | "dial";
  /** The peer did not accept what it was shown. Returns whether it can be shown something else. */
  refused(): boolean;
}

/** Credentials that have something to show. */
type Showing = Credentials & Required<Pick<Credentials, "present">>;

/** Shows the credentials of one connection to its peer, and others when they are refused. For authors of transports. */
export class Presenter {
  readonly #credentials: Showing;
  #latest: Credential | undefined;

  constructor(credentials: Showing) {
    this.#credentials = credentials;
  }

  /** What to show now, without a promise when it is at hand. Rejects with a ParleyError, outcome `not-sent`. */
  present(): Credential | Promise<Credential> {
    try {
      const given = this.#credentials.present();
      return given instanceof Promise ? given.then((late) => this.#note(late)).catch(fail) : this.#note(given);
    } catch (thrown) {
      return Promise.reject(thrown).catch(fail);
    }
  }

  /** What to show now, within bounds. @throws ParleyError also `deadline_exceeded` and `cancelled`, outcome `not-sent` */
  presentWithin({ runtime, ...options }: PresentOptions): Promise<Credential> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(cancelled(signal.reason, "not-sent"));
    return within(Promise.resolve(this.present()), options, runtime, "the credentials were not there");
  }

  /** Dials, and once more when the peer refuses what it was shown and there is something else to show. */
  async dial<Dialled>(dial: () => Promise<Dialled>): Promise<Dialled> {
    try {
      return await dial();
    } catch (thrown) {
      if (!isRefusal(thrown) || !this.#refused()) throw thrown;
      return await dial();
    }
  }

  /**
   * Makes a call that shows a credential of its own, and makes it once more when the peer refuses that before anything has run (`not-sent`)
   * and there is something else to show. The caller's items are there only once: a call with items is not made again.
   */
  call(call: Call, make: () => Promise<Reply>): Promise<Reply> {
    if (!this.#credentials.refused) return make();
    const made = make();
    const shown = this.#latest;
    return made.catch((thrown: unknown) => {
      if (!isRefusal(thrown) || thrown.outcome !== "not-sent") throw thrown;
      const renewable = this.#credentials.refused?.(shown) ?? false;
      if (!renewable || call.input || call.aborted) throw thrown;
      return make();
    });
  }

  /** How a connection gets over a refusal, for its `renewal`. @param by what shows a credential: each call, or dialling */
  renewal(by: Renewal["by"]): Renewal | undefined {
    return this.#credentials.refused && { by, refused: () => this.#refused() };
  }

  #refused(): boolean {
    return this.#credentials.refused?.(this.#latest) ?? false;
  }

  #note(credential: Credential): Credential {
    this.#latest = credential;
    return credential;
  }
}

/** Prepares showing what a user gave to a transport; nothing where that is none. */
export function presenterOf(credentials: Credentials | undefined): Presenter | undefined {
  requireCredentials(credentials);
  return credentials?.present && new Presenter(credentials as Showing); // it has just been looked at
}

/**
 * Without types a secret itself may be given, which would be shown to nobody without a word.
 * @throws ParleyError `invalid_argument` for what are no credentials; it does not say what they are
 */
export function requireCredentials(credentials: Credentials | undefined): void {
  if (credentials === undefined || typeof credentials.present === "function") return;
  if (typeof credentials.certificate === "function") return;
  const message = `the option credentials takes what bearer(), apiKey(), basic(), oauth2() or certificate() makes, and was given ${typeof credentials}`;
  throw new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}

/**
 * Checks what a user gave to a transport beside credentials.
 * @throws ParleyError `invalid_argument` for what are no credentials, and when both say who calls
 */
export function checkHeaders(
  headers: Readonly<Record<string, string>> = {},
  credentials: Credentials | undefined,
): void {
  requireCredentials(credentials);
  if (!credentials?.present || !Object.keys(headers).some((name) => name.toLowerCase() === "authorization")) return;
  const message = "the options credentials and headers both say who calls: leave out headers.authorization";
  throw new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}

/** Credentials of a user's own making may throw anything. */
function fail(thrown: unknown): never {
  if (thrown instanceof ParleyError) throw thrown;
  throw new TransportError("unavailable", "the credentials failed", { outcome: "not-sent", cause: thrown });
}

/** Whether a peer did not accept who calls. */
export function isRefusal(thrown: unknown): thrown is ParleyError {
  return thrown instanceof ParleyError && thrown.code === "unauthenticated";
}
