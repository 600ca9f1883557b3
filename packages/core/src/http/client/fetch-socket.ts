import { errorFor, hiddenReasons, ParleyError } from "../../transport/index.ts";
import { isRedirect } from "../wire/status.ts";
import { fetchHeaders } from "./fetch-headers.ts";
import type { AnswerHeaders, HttpRequest, HttpSocket, ResponseController, ResponseHandler } from "./socket.ts";

/** Of a body that the platform has decoded already, and whose length is then another. */
const DECODED = new Set(["content-encoding", "content-length"]);

const CLOSED = new Error("the connection was closed");

/** Makes requests to an origin by `fetch`, where there are no sockets. One at a time, as on a socket; the platform finds a connection for it. */
export function fetchSocket(origin: string): HttpSocket {
  let exchange: FetchExchange | undefined;
  return {
    dispatch(request, handler) {
      exchange = new FetchExchange(origin, handler);
      void exchange.run(request);
      return true;
    },
    async destroy() {
      exchange?.abort(CLOSED);
    },
  };
}

/** One request and its answer. */
class FetchExchange implements ResponseController {
  readonly #origin: string;
  readonly #handler: ResponseHandler;
  readonly #abort = new AbortController();
  /** The handler has been told of the end, and is told of nothing more. */
  #over = false;
  #paused = false;
  #wake: (() => void) | undefined;

  constructor(origin: string, handler: ResponseHandler) {
    this.#origin = origin;
    this.#handler = handler;
  }

  async run({ path, method, headers, body }: HttpRequest): Promise<void> {
    // From here on it may be sent: a browser never says that it was not.
    this.#handler.onRequestStart(this);
    let response: Response;
    try {
      response = await fetch(this.#origin + path, {
        method,
        headers: fetchHeaders(headers),
        ...(body === undefined ? {} : { body: body as RequestInit["body"] & {} }),
        signal: this.#abort.signal,
        cache: "no-store",
        redirect: "manual",
      });
    } catch (thrown) {
      return this.#fail(thrown instanceof ParleyError ? thrown : this.#unanswered(thrown));
    }
    if (this.#over) return;
    // By the Fetch standard, 2.2.6, the status of a redirect is kept from whoever does not follow it.
    if (response.type === "opaqueredirect" || isRedirect(response.status)) return this.abort(this.#redirected());
    this.#handler.onResponseStart(this, response.status, answerHeaders(response));
    if (response.body) await this.#read(response.body.getReader());
    if (this.#over) return;
    this.#over = true;
    this.#handler.onResponseEnd();
  }

  abort(reason: Error): void {
    if (this.#over) return;
    this.#fail(reason);
    this.#abort.abort(reason);
    this.resume();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    for (;;) {
      while (this.#paused) await this.#resumed();
      let result: Awaited<ReturnType<typeof reader.read>>;
      try {
        result = await reader.read();
      } catch (thrown) {
        return this.#fail(thrown as Error);
      }
      if (this.#over || result.done) return;
      this.#handler.onResponseData(this, result.value);
    }
  }

  #resumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #fail(failure: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onResponseError(this, failure);
  }

  #unanswered(cause: unknown): ParleyError {
    const message = `${this.#origin} gave no answer that this page may read; ${hiddenReasons(new URL(this.#origin))}`;
    return errorFor("unavailable", message, { outcome: "unknown", cause });
  }

  #redirected(): ParleyError {
    const message = `${this.#origin} answered with a redirect, which is not followed; use the address that it leads to`;
    return errorFor("unavailable", message, { outcome: "rejected" });
  }
}

function answerHeaders({ headers }: Response): AnswerHeaders {
  const answered: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (!DECODED.has(name)) answered[name] = value;
  });
  return answered;
}
