import {
  type HttpRequestOptions,
  type HttpResponse,
  type PoolStats,
  Requester,
  type RequesterOptions,
} from "@parley/core/http";
import {
  type ClientHealth,
  type ClientState,
  type ClientStateChange,
  type CloseOptions,
  knownOptions,
  type OperationOptions,
  type OptionNames,
} from "@parley/core/transport";
import { openSocket } from "./open-socket.ts";

/** Options of an {@link HttpClient}. */
export interface HttpClientOptions extends RequesterOptions {}

/**
 * A client for any HTTP server, also one that knows nothing of Parley.
 *
 * ```ts
 * await using api = new HttpClient({ baseUrl: "https://api.example/v1", retry: {} });
 * const { name } = await (await api.get("/users/7")).json<{ name: string }>();
 * ```
 *
 * Requests resolve when the head of the answer is there, whatever its status; see {@link HttpResponse}. They fail with a `ParleyError`:
 * `unavailable` when the server is not reached or cuts the answer, `deadline_exceeded`, `resource_exhausted`, `cancelled`,
 * `invalid_argument`; with the true outcome. Errors and logs name method and path, and never a query, a header or a body.
 */
export class HttpClient implements AsyncDisposable {
  readonly #requester: Requester;

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: HttpClientOptions = {}) {
    knownOptions("HttpClient", options, clientOptions);
    this.#requester = new Requester(options, { openSocket });
  }

  /** `idle` until the first request, `open` until it is closed: connections come and go by themselves. */
  get state(): ClientState {
    return this.#requester.state;
  }

  /** Reads; may be repeated. @throws ParleyError */
  get(target: string | URL, options?: HttpRequestOptions): Promise<HttpResponse> {
    return this.request("GET", target, options);
  }

  /** Reads the head alone; may be repeated. @throws ParleyError */
  head(target: string | URL, options?: HttpRequestOptions): Promise<HttpResponse> {
    return this.request("HEAD", target, options);
  }

  /** Has an effect of its own each time. @throws ParleyError */
  post(target: string | URL, options?: HttpRequestOptions): Promise<HttpResponse> {
    return this.request("POST", target, options);
  }

  /** Writes the whole; may be repeated. @throws ParleyError */
  put(target: string | URL, options?: HttpRequestOptions): Promise<HttpResponse> {
    return this.request("PUT", target, options);
  }

  /** Changes a part. @throws ParleyError */
  patch(target: string | URL, options?: HttpRequestOptions): Promise<HttpResponse> {
    return this.request("PATCH", target, options);
  }

  /** Deletes; may be repeated. @throws ParleyError */
  delete(target: string | URL, options?: HttpRequestOptions): Promise<HttpResponse> {
    return this.request("DELETE", target, options);
  }

  /** Makes a request by any method, in upper or lower case. @throws ParleyError */
  async request(method: string, target: string | URL, options: HttpRequestOptions = {}): Promise<HttpResponse> {
    knownOptions(`a ${method} request`, options, requestOptions);
    return this.#requester.request(method, target, options);
  }

  /** Tells of each change of state from now on; gives back what takes the listener off again. */
  onState(listener: (change: ClientStateChange) => void): () => void {
    return this.#requester.onState(listener);
  }

  /** How the server at the `baseUrl` fares, by any answer to a HEAD; without one, what is known. Never rejects. */
  health(options?: OperationOptions): Promise<ClientHealth> {
    return this.#requester.health(options);
  }

  /** What the connections are doing. */
  stats(): PoolStats {
    return this.#requester.stats;
  }

  /**
   * Takes no new requests, lets those under way, the reading of their answers included, end within the grace, then closes. Idempotent;
   * resolves when nothing is left open.
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#requester.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const sharedOptions = {
  headersTimeoutMs: true,
  bodyTimeoutMs: true,
  timeoutMs: true,
  maxResponseBytes: true,
  redirect: true,
  expectOk: true,
  headers: true,
} as const;

const clientOptions: OptionNames<HttpClientOptions> = {
  ...sharedOptions,
  baseUrl: true,
  credentials: true,
  tls: true,
  connectTimeoutMs: true,
  pool: true,
  retry: true,
  use: true,
  maxRedirects: true,
  redirectOrigins: true,
  hooks: true,
  log: true,
  runtime: true,
};

const requestOptions: OptionNames<HttpRequestOptions> = {
  ...sharedOptions,
  params: true,
  json: true,
  form: true,
  multipart: true,
  body: true,
  idempotent: true,
  retry: true,
  signal: true,
};
