import type { Credential } from "../../credentials/credentials.ts";
import {
  type Call,
  type ContextKey,
  contextKey,
  ParleyError,
  type Reply,
  type Runtime,
  toParleyError,
} from "../../transport/index.ts";
import { Exchange } from "./exchange.ts";
import { HttpResponse, nameOf } from "./http-response.ts";
import type { HttpHooks, HttpRequestOptions, RequesterOptions } from "./options.ts";
import { anonymize, redirectOf, withoutBody } from "./redirect.ts";
import type { RequestBody } from "./request-body.ts";
import type { HttpSettings, RequestSettings } from "./settings.ts";
import type { SocketPool } from "./socket-pool.ts";
import { type BodyChunk, UploadStream } from "./upload-stream.ts";
import { whileOpen } from "./while-open.ts";

/** What a {@link Sending} is made from. */
export interface SendingInit {
  readonly method: string;
  readonly url: URL;
  readonly body: RequestBody | undefined;
  readonly headers: HttpRequestOptions["headers"];
  readonly settings: RequestSettings;
  readonly client: HttpSettings;
  readonly options: Pick<RequesterOptions, "headers" | "credentials" | "hooks">;
  readonly pool: SocketPool;
  readonly runtime: Runtime;
  readonly call: Call;
  /** The answer has been read, or there is none. */
  readonly over: () => void;
}

/** What an attempt comes to. */
export interface HttpReply extends Reply {
  readonly response: HttpResponse;
}

/** Finds the request of a call, whatever interceptors have made of the call. */
export const SENDING: ContextKey<Sending> = contextKey("http request");

/** Where a request is on its way. */
interface Hop {
  readonly method: string;
  readonly url: URL;
  readonly body: RequestBody | undefined;
  /** A redirect led to another origin: nothing says who asks any more. */
  readonly anonymous: boolean;
  readonly redirects: number;
}

/** One request, with all attempts at it. */
export class Sending {
  readonly #init: SendingInit;
  #attempts = 0;
  #error: ParleyError | undefined;
  #answer: HttpResponse | undefined;
  /** Requests whose answers have not been read to their end. */
  #exchanges = 0;
  #settled = false;

  constructor(init: SendingInit) {
    this.#init = init;
  }

  /**
   * Makes an attempt.
   * @param fails statuses that are thrown, as errors with the answer as their cause.
   */
  async attempt(call: Call, fails: ReadonlySet<number>): Promise<HttpReply> {
    try {
      await this.#again(call);
      const response = await this.#follow(call);
      this.#answer = response;
      await this.#hook(call, "afterResponse", () => response);
      if (fails.has(response.status)) throw response.toError();
      return { response };
    } catch (thrown) {
      this.#error = toParleyError(thrown);
      throw thrown;
    }
  }

  /** No attempt follows: lets go of the last answer, unless it is what the request comes to. */
  settle(response: HttpResponse | undefined): void {
    this.#settled = true;
    if (this.#answer !== response) this.#answer?.discard();
    this.#checkOver();
  }

  #checkOver(): void {
    if (this.#settled && this.#exchanges === 0) this.#init.over();
  }

  /** Before another attempt. */
  async #again(call: Call): Promise<void> {
    const attempts = this.#attempts++;
    this.#answer?.discard();
    this.#answer = undefined;
    const error = this.#error;
    if (!error) return;
    const { method, url } = this.#init;
    await this.#hook(call, "beforeRetry", () => ({ method, url: new URL(url), attempts, error }));
  }

  async #follow(call: Call): Promise<HttpResponse> {
    const { method, url, body, settings, client, options } = this.#init;
    let hop: Hop = { method, url, body, anonymous: false, redirects: 0 };
    let renewed = false;
    for (;;) {
      const shown = await this.#credential(call, hop);
      const response = await this.#exchange(call, hop, shown);
      if (response.status === 401 && !renewed && !hop.body?.once && this.#isHome(hop)) {
        renewed = options.credentials?.refused?.(shown) === true;
        if (renewed) {
          response.discard();
          continue;
        }
      }
      const next = settings.redirect === "follow" ? this.#redirected(hop, response) : undefined;
      if (!next) return response;
      response.discard();
      if (next.redirects > client.maxRedirects) {
        throw new ParleyError(
          "failed_precondition",
          `${nameOf(this.#init)} was redirected more than ${client.maxRedirects} times; raise maxRedirects if that is meant`,
          { details: { status: response.status } },
        );
      }
      hop = next;
    }
  }

  /** Where a redirect leads, if it may be followed. */
  #redirected(hop: Hop, response: HttpResponse): Hop | undefined {
    const redirect = redirectOf(response, hop.method, hop.url);
    if (!redirect || (redirect.keepsBody && hop.body?.once)) return undefined;
    const { url, method, keepsBody } = redirect;
    const { redirectOrigins } = this.#init.client;
    const { origin } = this.#init.url;
    if (url.origin !== origin && !redirectOrigins.has(url.origin) && !redirectOrigins.has("*")) return undefined;
    return {
      method,
      url,
      body: keepsBody ? hop.body : undefined,
      anonymous: hop.anonymous || url.origin !== origin,
      redirects: hop.redirects + 1,
    };
  }

  /** Whether the client's own headers and credentials are for this. */
  #isHome({ url, anonymous }: Hop): boolean {
    const { base } = this.#init.client;
    return !anonymous && (!base || base.origin === url.origin);
  }

  async #credential(call: Call, hop: Hop): Promise<Credential | undefined> {
    const { credentials } = this.#init.options;
    if (!credentials?.present || !this.#isHome(hop)) return undefined;
    return whileOpen(call, credentials.present());
  }

  async #exchange(call: Call, hop: Hop, shown: Credential | undefined): Promise<HttpResponse> {
    const { pool, settings, runtime, call: whole } = this.#init;
    const { method, url, body } = hop;
    const headers = await this.#headers(call, hop, shown);
    const content = openBody(body);
    const upload = isStream(content) ? new UploadStream(content) : undefined;
    const lease = await pool.take(url.origin, call);
    this.#exchanges++;
    const over = (): void => {
      this.#exchanges--;
      this.#checkOver();
    };
    const init = { lease, attempt: call, call: whole, address: url.host, method, settings, runtime, upload, over };
    const head = await new Exchange(init).start({
      path: url.pathname + url.search,
      method,
      headers,
      // Any async iterable will do for undici.
      ...(content === undefined ? {} : { body: (upload ?? content) as string | Uint8Array }),
    });
    return new HttpResponse(head, { method, url, redirected: hop.redirects > 0 });
  }

  /** The headers of one request, flat. */
  async #headers(call: Call, hop: Hop, shown: Credential | undefined): Promise<string[]> {
    const { options, headers: own } = this.#init;
    const { method, url, body } = hop;
    const headers = new Headers({ accept: "*/*", "accept-encoding": "identity", "user-agent": "parley" });
    const add = (name: string, value: string): void => setHeader(headers, name, value);
    if (body?.contentType !== undefined) add("content-type", body.contentType);
    if (this.#isHome(hop)) for (const [name, value] of Object.entries(options.headers ?? {})) add(name, value);
    for (const [name, value] of Object.entries(own ?? {})) add(name, value);
    if (shown) add(...shown.header());
    if (body?.contentLength !== undefined) add("content-length", String(body.contentLength));
    await this.#hook(call, "beforeRequest", () => ({ method, url: new URL(url), headers }));
    if (hop.anonymous) anonymize(headers);
    if (!body) withoutBody(headers);
    return [...headers].flat();
  }

  async #hook<Name extends keyof HttpHooks>(
    call: Call,
    name: Name,
    told: () => Parameters<NonNullable<HttpHooks[Name]>>[0],
  ): Promise<void> {
    const hook = this.#init.options.hooks?.[name] as
      | ((it: ReturnType<typeof told>) => void | Promise<void>)
      | undefined;
    if (!hook) return;
    try {
      await whileOpen(call, hook(told()));
    } catch (cause) {
      if (cause instanceof ParleyError) throw cause;
      const outcome = name === "afterResponse" ? "unknown" : "not-sent";
      throw new ParleyError("internal", `the hook ${name} of ${nameOf(this.#init)} threw`, { outcome, cause });
    }
  }
}

function openBody(body: RequestBody | undefined): string | Uint8Array | AsyncIterable<BodyChunk> | undefined {
  try {
    return body?.open();
  } catch (cause) {
    if (cause instanceof ParleyError) throw cause;
    throw new ParleyError("cancelled", "the function that was given as the body threw", { outcome: "not-sent", cause });
  }
}

function isStream(
  content: string | Uint8Array | AsyncIterable<BodyChunk> | undefined,
): content is AsyncIterable<BodyChunk> {
  return typeof content === "object" && Symbol.asyncIterator in content;
}

/** @throws ParleyError `invalid_argument`; the value, which may be secret, is not repeated */
function setHeader(headers: Headers, name: string, value: string): void {
  try {
    // Else it would be sent as "undefined".
    if (typeof value !== "string") throw new TypeError(`no text but ${typeof value}`);
    headers.set(name, value);
  } catch {
    throw new ParleyError(
      "invalid_argument",
      `the header ${JSON.stringify(name)}, or its value, is none that HTTP can carry`,
      {
        outcome: "not-sent",
      },
    );
  }
}
