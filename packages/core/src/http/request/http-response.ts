import { decodeData, ParleyError } from "../../transport/index.ts";
import { statusError, understood } from "../client/answer.ts";
import type { AnswerHeaders } from "../client/socket.ts";
import { readText } from "../wire/text.ts";
import type { AnswerHead } from "./exchange.ts";

/** What a request was, for its answer. */
export interface Answered {
  readonly method: string;
  readonly url: URL;
  /** Whether a redirect led there. */
  readonly redirected: boolean;
}

/** `details` of the error that an answer other than 2xx comes to. */
export interface HttpErrorDetails {
  readonly status: number;
}

/**
 * The answer to a request, whatever its status. Its body is read once, by one of `json`, `text`, `bytes` or async iteration, and never grows
 * over `maxResponseBytes`. One that is of no interest is let go of by {@link discard}; what nobody begins to read within `bodyTimeoutMs` is
 * given up by itself.
 */
export class HttpResponse implements AsyncIterable<Uint8Array> {
  readonly #head: AnswerHead;
  readonly #answered: Answered;
  #headers: Headers | undefined;
  #used = false;

  /** Made by the client. */
  constructor(head: AnswerHead, answered: Answered) {
    this.#head = head;
    this.#answered = answered;
  }

  /** Whether the status is one of 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get status(): number {
    return this.#head.status;
  }

  get statusText(): string {
    return this.#head.statusText;
  }

  get headers(): Headers {
    this.#headers ??= headersOf(this.#head.headers);
    return this.#headers;
  }

  /** Where the answer came from, after redirects. */
  get url(): string {
    return this.#answered.url.href;
  }

  /** Whether a redirect was followed. */
  get redirected(): boolean {
    return this.#answered.redirected;
  }

  /** Whether its body was read, or let go of. */
  get bodyUsed(): boolean {
    return this.#used;
  }

  /**
   * The body as JSON: UTF-8, at most 64 levels deep; `__proto__` is a property like others.
   * @throws ParleyError `internal`, outcome `unknown`, when it is something else; and as {@link bytes} does.
   */
  async json<Value = unknown>(): Promise<Value> {
    const bytes = await this.bytes();
    const coding = this.headers.get("content-encoding");
    const name =
      coding === null || coding === "identity"
        ? this.#name
        : `${this.#name} in ${coding.slice(0, 80)}, which was not asked for,`;
    return understood(name, () => decodeData(readText(bytes).replace(/^\uFEFF/, ""))) as Value;
  }

  /** The body as text. What is not UTF-8 in it becomes U+FFFD. @throws ParleyError as {@link bytes} does */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /**
   * All of the body.
   * @throws ParleyError outcome `unknown`: `unavailable` when it was cut, `deadline_exceeded`, `resource_exhausted` when it is over
   * `maxResponseBytes`; `failed_precondition` when it was read before.
   */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this) {
      chunks.push(chunk);
      length += chunk.length;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** The body as it comes; a reader who stalls holds up the server, one who leaves ends the answer. Fails as {@link bytes} does. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    if (this.#used) {
      throw new ParleyError("failed_precondition", `the body of ${this.#name} was read already; it can be read once`);
    }
    this.#used = true;
    return this.#head.body.read();
  }

  /** Lets go of the body. Its connection is used again only if all of it has come. */
  discard(): void {
    this.#used = true;
    this.#head.body.discard();
  }

  /**
   * Gives the answer itself, if it is {@link ok}.
   * @throws ParleyError with the code of the status, {@link HttpErrorDetails}, `retryAfterMs` where the server said so, and the answer as
   * its cause.
   */
  expectOk(): this {
    if (this.ok) return this;
    throw this.toError();
  }

  /** What the status comes to as an error; its cause is this answer, whose body can still be read. */
  toError(): ParleyError {
    const { status, headers } = this.#head;
    return statusError(status, headers, `${this.#name} answered ${status}`, this);
  }

  get #name(): string {
    return nameOf(this.#answered);
  }
}

/** A request as messages name it: without its query, which may hold what is secret. */
export function nameOf({ method, url }: Pick<Answered, "method" | "url">): string {
  return `${method} ${url.origin}${url.pathname}`;
}

function headersOf(plain: AnswerHeaders): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(plain)) {
    for (const value of Array.isArray(values) ? values : [values ?? ""]) headers.append(name, value);
  }
  return headers;
}
