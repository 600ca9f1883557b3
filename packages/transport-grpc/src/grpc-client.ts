import type { Items } from "@parley/core";
import {
  type ClientHealth,
  type ClientState,
  type ClientStateChange,
  type CloseOptions,
  durationOption,
  type OpenCall,
  type OperationOptions,
  ParleyError,
  toParleyError,
  within,
} from "@parley/core/transport";
import type { GrpcCallOptions, GrpcClientOptions } from "./client-options.ts";
import type { DefinitionSource } from "./service/definition-source.ts";
import { checkHealth } from "./service/health-check.ts";
import { ProtoSource } from "./service/proto-source.ts";
import { ReflectionSource } from "./service/reflection-source.ts";
import { type Given, ServiceLine } from "./service/service-line.ts";
import type { MethodKind, ServiceMethod, ServiceMethods } from "./service/service-method.ts";
import type { GrpcStub } from "./service/stub.ts";

/**
 * Calls any gRPC server, by the names of its services and methods. What they take and give is known from .proto files, or from the server itself
 * (server reflection).
 *
 * It connects when it is first used, and again when it has to; {@link GrpcClient.close | close} it at the end. Methods go by their full name,
 * `package.Service/Method`. Messages are plain objects, fields in camel case. Everything fails with a `ParleyError`, whose `outcome` says whether
 * the server may have acted; one that the server sent has {@link GrpcErrorDetails} for `details`.
 *
 * Nothing is buffered without bound: an upload is iterated as fast as the server takes it, and a stream that is read slowly holds up the server.
 */
export class GrpcClient implements AsyncDisposable {
  readonly #line: ServiceLine;
  readonly #definitions: DefinitionSource;
  readonly #timeoutMs: number | undefined;

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: GrpcClientOptions) {
    this.#line = new ServiceLine(options);
    const { proto, includeDirs, format = {}, timeoutMs } = options;
    this.#timeoutMs = timeoutMs;
    this.#definitions =
      proto === undefined
        ? new ReflectionSource(this.#line.address, format, (method, input) => this.#exchange(method, input))
        : new ProtoSource(typeof proto === "string" ? [proto] : proto, includeDirs, format);
  }

  /** `idle` also when a connection was lost that nobody used; the next call makes another. */
  get state(): ClientState {
    return this.#line.line.state;
  }

  /** Tells of each change of state from now on; gives back what takes the listener off again. */
  onState(listener: (change: ClientStateChange) => void): () => void {
    return this.#line.line.onState((state) => listener({ state }));
  }

  /**
   * Connects, if it is not connected; calls do so by themselves. Nothing is sent.
   * @throws ParleyError `unavailable`; `deadline_exceeded` after `timeoutMs`, or else `connectTimeoutMs`; `cancelled`; all `not-sent`
   */
  connect(options: OperationOptions = {}): Promise<void> {
    return this.#line.connect(options);
  }

  /** Calls a method that takes one message and gives one. */
  unary<Response = unknown>(method: string, request: object, options: GrpcCallOptions = {}): Promise<Response> {
    return this.#ask("request", method, { input: request, options });
  }

  /** Calls a method that takes one message and gives many. The call is made when iterating begins, once; leaving the loop cancels it. */
  serverStream<Response = unknown>(
    method: string,
    request: object,
    options: GrpcCallOptions = {},
  ): AsyncIterable<Response> {
    return this.#stream("server-stream", method, { input: request, options });
  }

  /** Calls a method that takes many messages and gives one. */
  clientStream<Response = unknown>(
    method: string,
    requests: Items<object>,
    options: GrpcCallOptions = {},
  ): Promise<Response> {
    return this.#ask("client-stream", method, { input: requests, options });
  }

  /** Calls a method that takes many messages and gives many. The call is made when iterating begins, once; leaving the loop cancels it. */
  bidiStream<Response = unknown>(
    method: string,
    requests: Items<object>,
    options: GrpcCallOptions = {},
  ): AsyncIterable<Response> {
    return this.#stream("bidi-stream", method, { input: requests, options });
  }

  /**
   * A service as methods, by their names in the .proto file and the same in lower case at the beginning. What describes it is loaded before.
   * @throws ParleyError `not-sent`; `unimplemented` when there is no such service
   */
  async service<Service>(name: string, options: OperationOptions = {}): Promise<GrpcStub<Service>> {
    this.#line.requireOpen();
    const methods = await this.#methods(name, options);
    const members = [...methods.values()].flatMap((method) => {
      const call = (input: unknown, options: GrpcCallOptions = {}): unknown =>
        method.kind === "request" || method.kind === "client-stream"
          ? this.#line.ask(method, { input, options })
          : this.#line.stream(method.name, () => this.#line.open(method, { input, options }));
      const own = method.name.slice(name.length + 1);
      return [own, `${own.charAt(0).toLowerCase()}${own.slice(1)}`].map((key) => [key, call] as const);
    });
    // The caller says what the service is; its methods are all there by now.
    return Object.fromEntries(members) as GrpcStub<Service>;
  }

  /** Full names of the services that are known, or that the server says it has. @throws ParleyError `not-sent` */
  services(options: OperationOptions = {}): Promise<readonly string[]> {
    this.#line.requireOpen();
    const what = `the services of ${this.#line.address} were not known`;
    return within(this.#definitions.services(), options, this.#line.runtime, what);
  }

  /**
   * Asks the standard health service (`grpc.health.v1`), no longer than `timeoutMs` (5,000 unless told). A server without it is well if it says so.
   * Never rejects.
   */
  async health({ signal, timeoutMs = 5_000 }: OperationOptions = {}): Promise<ClientHealth> {
    const { runtime } = this.#line;
    const start = runtime.now();
    try {
      await checkHealth(this.#line, { signal, timeoutMs });
      return { state: this.state, roundTripMs: runtime.now() - start };
    } catch (thrown) {
      return { state: this.state, lastError: toParleyError(thrown) };
    }
  }

  /** Takes no new calls, lets those under way end within the grace (5,000 ms unless told), then fails them. Idempotent; resolves when nothing is left open. */
  close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    return this.#line.close(graceMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ask<Response>(kind: MethodKind, name: string, given: Given): Promise<Response> {
    const { method, left } = await this.#prepared(kind, name, given);
    // Whoever calls says what the method gives.
    return this.#line.ask(method, left) as Promise<Response>;
  }

  #stream<Response>(kind: MethodKind, name: string, given: Given): AsyncIterable<Response> {
    const open = async (): Promise<OpenCall> => {
      const { method, left } = await this.#prepared(kind, name, given);
      return this.#line.open(method, left);
    };
    // As above.
    return this.#line.stream(name, open) as AsyncIterable<Response>;
  }

  /** The method, and what is left of the time for the call once that is known. */
  async #prepared(
    kind: MethodKind,
    name: string,
    given: Given,
  ): Promise<{ readonly method: ServiceMethod; readonly left: Given }> {
    this.#line.requireOpen();
    const { service, method } = partsOf(name);
    const known = this.#definitions.find(service);
    if (known) return { method: methodOf(known, method, kind, name), left: given };
    const { runtime } = this.#line;
    const { signal, timeoutMs: own = this.#timeoutMs } = given.options;
    const timeoutMs = own === undefined ? undefined : durationOption("timeoutMs", own);
    const start = runtime.now();
    const methods = await this.#methods(service, { signal, timeoutMs });
    const left = timeoutMs === undefined ? {} : { timeoutMs: timeoutMs - (runtime.now() - start) };
    return {
      method: methodOf(methods, method, kind, name),
      left: { ...given, options: { ...given.options, ...left } },
    };
  }

  #methods(service: string, options: OperationOptions): Promise<ServiceMethods> {
    const loading = Promise.all([this.#definitions.load(service), this.#line.prepare()]).then(([methods]) => methods);
    return within(loading, options, this.#line.runtime, `what describes ${service} was not there`);
  }

  #exchange(method: ServiceMethod, messages: readonly Buffer[]): AsyncIterable<unknown> {
    const options = { timeoutMs: this.#line.connectTimeoutMs };
    return this.#line.stream(method.name, () => this.#line.open(method, { input: messages, options }));
  }
}

function partsOf(name: string): { readonly service: string; readonly method: string } {
  const [service = "", method = "", ...rest] = name.split("/");
  if (service !== "" && method !== "" && rest.length === 0) return { service, method };
  throw new ParleyError("invalid_argument", `${name} is no full name of a method, which is package.Service/Method`, {
    outcome: "not-sent",
  });
}

/** What to call for each kind. */
const callers: Readonly<Record<MethodKind, string>> = {
  request: "unary",
  "server-stream": "serverStream",
  "client-stream": "clientStream",
  "bidi-stream": "bidiStream",
};

function methodOf(methods: ServiceMethods, method: string, kind: MethodKind, name: string): ServiceMethod {
  const found = methods.get(method);
  if (found?.kind === kind) return found;
  const [code, message] = found
    ? (["invalid_argument", `${name} is called by ${callers[found.kind]}, and not by ${callers[kind]}`] as const)
    : (["unimplemented", `there is no method ${name}; its service has ${[...methods.keys()].join(", ")}`] as const);
  throw new ParleyError(code, message, { outcome: "not-sent" });
}
