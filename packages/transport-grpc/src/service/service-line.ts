import type { Metadata } from "@grpc/grpc-js";
import type { Items } from "@parley/core";
import {
  type Call,
  type Calling,
  type CallStart,
  Context,
  type Credential,
  type Credentials,
  choiceOption,
  durationOption,
  type Invoke,
  ItemStream,
  intercept,
  knownOptions,
  OpenCall,
  type OperationOptions,
  type OptionNames,
  ParleyError,
  Policies,
  policiesOf,
  type Reply,
  type Runtime,
  systemRuntime,
  TransportError,
  within,
} from "@parley/core/transport";
import { CallSet } from "../client/call-set.ts";
import { requireBare } from "../client/client-of.ts";
import { type Line, lineOf } from "../client/line.ts";
import type { Link } from "../client/link.ts";
import { metadataOf } from "../client/metadata-of.ts";
import { NativeCall } from "../client/native-call.ts";
import { unreachable } from "../client/unreachable.ts";
import {
  CONNECT_TIMEOUT_MS,
  type GrpcCallOptions,
  type GrpcClientOptions,
  MAX_CALLS,
  MAX_MESSAGE_BYTES,
} from "../client-options.ts";
import { type Asked, asked } from "./asked.ts";
import { detailReader, type ReadDetail } from "./error-details.ts";
import type { ServiceMethod } from "./service-method.ts";
import { type Attempt, serviceWire } from "./service-wire.ts";

/** What a call is made with. */
export interface Given {
  /** The request; of uploads, what is iterated for the messages. */
  readonly input: unknown;
  readonly options: GrpcCallOptions;
}

/** Sender of the messages of calls. They are seen by interceptors, and by nobody else. */
const SOURCE = "client";

/** A line to a server, and all that happens to the calls on it. */
export class ServiceLine {
  readonly line: Line;
  readonly runtime: Runtime;
  /** Where the server is, for messages. */
  readonly address: string;
  readonly connectTimeoutMs: number;
  readonly #url: URL;
  readonly #waitForReady: boolean;
  readonly #credentials: Credentials | undefined;
  readonly #metadata: Metadata;
  readonly #link: Link;
  readonly #maxCalls: number;
  readonly #policies: Policies;
  /** With the client's policies, and without. */
  readonly #calling: Calling;
  readonly #bare: Calling;
  readonly #calls = new CallSet();
  #readDetail: ReadDetail | undefined;
  #closing: Promise<void> | undefined;

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: GrpcClientOptions) {
    knownOptions("GrpcClient", options, clientOptions);
    const { maxMessageBytes = MAX_MESSAGE_BYTES, maxCalls = MAX_CALLS } = options;
    const { waitForReady = false, log, runtime = systemRuntime } = options;
    const connectTimeoutMs = durationOption("connectTimeoutMs", options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    const timeoutMs = options.timeoutMs === undefined ? undefined : durationOption("timeoutMs", options.timeoutMs);
    if (options.compression !== undefined) choiceOption("compression", options.compression, ["gzip"]);
    this.#url = urlOf(options.url);
    requireBare(this.#url);
    this.#waitForReady = waitForReady;
    this.#credentials = options.credentials;
    this.#maxCalls = maxCalls;
    this.#metadata = metadataOf(this.#url, options);
    this.runtime = runtime;
    this.address = this.#url.host;
    this.connectTimeoutMs = connectTimeoutMs;
    const calling = { source: SOURCE, timeoutMs, runtime, log };
    const { retry, use } = options;
    const policies = { retry: retry && { codes: ["unavailable" as const], ...retry }, use };
    this.#policies = new Policies(policies, runtime);
    this.#calling = { ...calling, answer: intercept(this.#attempt, policiesOf(policies, runtime)) };
    this.#bare = { ...calling, answer: this.#attempt };
    this.line = lineOf(this.#url, { ...options, maxReceiveBytes: maxMessageBytes });
    this.#link = {
      line: this.line,
      calls: new CallSet(),
      runtime,
      address: this.address,
      maxSendBytes: maxMessageBytes,
    };
    if (log) {
      this.line.onState((state) =>
        log({ level: "debug", event: "client-state", message: `${this.address} is ${state}`, fields: { state } }),
      );
    }
  }

  /** Loads what calls need beside definitions. */
  async prepare(): Promise<void> {
    this.#readDetail ??= await detailReader();
  }

  /**
   * Opens a call; it is not made yet. @param way without the client's policies, for its own purposes
   * @throws ParleyError `not-sent`
   */
  open(method: ServiceMethod, { input, options }: Given, way: "policies" | "bare" = "policies"): OpenCall {
    this.requireOpen();
    knownOptions(`a call of ${method.name}`, options, callOptions);
    this.#calls.requireRoom(this.#maxCalls, this.address);
    const ask: Asked = { method, options, sent: false };
    const context = new Context();
    context.set(asked, ask);
    const uploads = method.kind === "client-stream" || method.kind === "bidi-stream";
    const start: CallStart = {
      kind: method.kind,
      type: method.name,
      data: uploads ? undefined : input,
      options,
      parent: undefined,
      idempotent: options.idempotent ?? method.idempotent,
      context,
      wasSent: () => ask.sent,
      ...(uploads && { input: { items: requireItems(method, input), write: (item: unknown) => item } }),
    };
    const open = new OpenCall(way === "policies" ? this.#calling : this.#bare, start);
    const pending = { lost: (reason: ParleyError) => open.abort(reason) };
    const over = (): void => this.#calls.settled(pending);
    this.#calls.began(pending);
    open.call.onAbort({ callAborted: over, callSettled: over });
    return open;
  }

  /** Makes a call that has one answer. */
  async ask(method: ServiceMethod, given: Given, way?: "policies" | "bare"): Promise<unknown> {
    const open = this.open(method, given, way);
    try {
      const { message } = await open.answered();
      if (message) return message.data;
      throw new ParleyError("internal", `an interceptor gave no answer to ${method.name}`, { outcome: "unknown" });
    } finally {
      open.close();
    }
  }

  /** A call that has many answers; it is made when iterating begins. */
  stream(name: string, open: () => OpenCall | Promise<OpenCall>): AsyncIterable<unknown> {
    return new ItemStream(name, open, ({ data }) => data);
  }

  /** Connects, if that has not been done. @throws ParleyError `unavailable`, `deadline_exceeded`, `not-sent` */
  connect({ timeoutMs = this.connectTimeoutMs, ...options }: OperationOptions): Promise<void> {
    const operation = { type: "grpc.connect", kind: "request", idempotent: true, timeoutMs, ...options } as const;
    return this.#policies.run(operation, (attempt) => this.#connect(attempt));
  }

  async #connect({ signal, timeoutMs }: OperationOptions): Promise<void> {
    this.requireOpen();
    const given = new AbortController();
    const ready = this.line.ready(given.signal).catch((error: ParleyError) => {
      throw unreachable(error, this.#url);
    });
    try {
      await within(ready, { signal, timeoutMs }, this.runtime, `${this.address} did not become reachable`);
    } finally {
      given.abort();
    }
  }

  /** @throws ParleyError once it is closed */
  requireOpen(): void {
    if (this.#closing)
      throw new TransportError("unavailable", `the client of ${this.address} is closed`, { outcome: "not-sent" });
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#calls.drain(graceMs, this.address, this.runtime).then(() => this.line.close());
    return this.#closing;
  }

  readonly #attempt: Invoke = (call) => (this.#credentials?.present ? this.#presented(call) : this.#make(call));

  /** Shows who calls; when that is not accepted and there is something else to show, once more. */
  async #presented(call: Call): Promise<Reply> {
    const shown = await this.#credentials?.present?.();
    try {
      return await this.#make(call, shown);
    } catch (thrown) {
      if (!(thrown instanceof ParleyError) || thrown.code !== "unauthenticated") throw thrown;
      const renewable = this.#credentials?.refused?.(shown) ?? false;
      // The caller's items are there only once.
      if (!renewable || call.input || call.aborted) throw thrown;
    }
    return this.#make(call, await this.#credentials?.present?.());
  }

  #make(call: Call, shown?: Credential): Promise<Reply> {
    return new Promise((resolve, reject) => {
      // Put there when the call was opened.
      const ask = call.context.get(asked) as Asked;
      const wire = serviceWire(ask, call, this.#attemptOf(ask.options, shown));
      new NativeCall(this.#link, call, wire, { resolve, reject }).start();
    });
  }

  #attemptOf({ headers, waitForReady = this.#waitForReady }: GrpcCallOptions, shown?: Credential): Attempt {
    const metadata = metadataOf(this.#url, { headers, credentials: this.#credentials }, this.#metadata);
    metadata.setOptions({ waitForReady });
    if (shown) metadata.set(...shown.header());
    return {
      url: this.#url,
      metadata,
      connectTimeoutMs: waitForReady ? undefined : this.connectTimeoutMs,
      source: SOURCE,
      readDetail: this.#readDetail,
    };
  }
}

const clientOptions: OptionNames<GrpcClientOptions> = {
  url: true,
  proto: true,
  includeDirs: true,
  format: true,
  tls: true,
  credentials: true,
  headers: true,
  timeoutMs: true,
  connectTimeoutMs: true,
  waitForReady: true,
  retry: true,
  use: true,
  maxMessageBytes: true,
  maxCalls: true,
  compression: true,
  keepaliveMs: true,
  maxSessionMemoryMb: true,
  log: true,
  runtime: true,
};

const callOptions: OptionNames<GrpcCallOptions> = {
  signal: true,
  timeoutMs: true,
  headers: true,
  waitForReady: true,
  idempotent: true,
  onHeaders: true,
  onTrailers: true,
};

function urlOf(given: string | URL): URL {
  const url = URL.parse(String(given));
  if (url?.host) return url;
  throw new ParleyError(
    "invalid_argument",
    `${given} is no URL of a server; say grpc://host:port, or grpcs://host:port for TLS`,
    {
      outcome: "not-sent",
    },
  );
}

function requireItems({ name }: ServiceMethod, input: unknown): Items<unknown> {
  if (typeof input === "object" && input !== null && (Symbol.asyncIterator in input || Symbol.iterator in input))
    return input as Items<unknown>; // it has one of the two
  throw new ParleyError("invalid_argument", `${name} takes messages: give something that can be iterated for them`, {
    outcome: "not-sent",
  });
}
