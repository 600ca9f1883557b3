import {
  type Attempt,
  type ClientHealth,
  type ClientState,
  type ClientStateChange,
  type CloseOptions,
  durationOption,
  type EffectOptions,
  type OperationOptions,
  type ParleyError,
  TransportError,
  toParleyError,
} from "@parley/core/transport";
import { StartHistory } from "../start-limit.ts";
import type { Counts, StdioClientStats } from "./counts.ts";
import { type Action, Dialogue, type Run, runner } from "./dialogue.ts";
import type { StdioFormat, StdioFormats } from "./formats.ts";
import type { JsonRpcMessage } from "./json-rpc.ts";
import { operate } from "./operation.ts";
import type { StdioClientOptions, StdioRequestOptions } from "./options.ts";
import { readSettings, type Settings } from "./settings.ts";
import { runHook, startSession } from "./start-session.ts";
import type { StdioSession } from "./stdio-session.ts";
import { Supervisor } from "./supervisor.ts";
import type { Until } from "./until.ts";

/**
 * Talks with any program over its stdin and stdout. The program is started by the first use, or by `connect`, and supervised: it ends with the
 * client, and its process group with it.
 */
export class StdioClient<Format extends StdioFormat> implements StdioSession<Format>, AsyncDisposable {
  readonly #settings: Settings<Format>;
  readonly #supervisor: Supervisor;
  readonly #dialogue: Dialogue<Format>;
  readonly #run: Run;
  readonly #counts: Counts = { starts: 0, refusedMessages: 0, lateMessages: 0, droppedMessages: 0 };
  readonly #active = new Set<Promise<unknown>>();

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: StdioClientOptions<Format>) {
    const settings = readSettings(options);
    const history = new StartHistory(settings.startLimit);
    this.#settings = settings;
    this.#supervisor = new Supervisor({
      ...settings,
      underWay: () => Promise.allSettled([...this.#active]),
      start: (signal, begun) => startSession(settings, { history, counts: this.#counts, signal, begun }),
    });
    const run = runner(settings, (action, operation) =>
      action === "read" ? this.#supervisor.readable(operation) : this.#supervisor.open(operation),
    );
    this.#run = (action, options, step, bound) =>
      action === "read"
        ? run(action, options, step, bound)
        : this.#tracked(action, options, (attempt) => run(action, attempt, step, bound));
    this.#dialogue = new Dialogue(this.#run);
  }

  get state(): ClientState {
    return this.#supervisor.state;
  }

  /** Resolves once, when the client has closed: with the reason, or with nothing when it was closed or the program exited with 0. */
  get closed(): Promise<ParleyError | undefined> {
    return this.#supervisor.closed;
  }

  /** The process id of the last child that was ready. */
  get pid(): number | undefined {
    return this.#supervisor.session?.pid;
  }

  /** The end of what that child has written to stderr, at most 4 KiB. */
  get stderr(): string {
    return this.#supervisor.session?.stderr() ?? "";
  }

  stats(): StdioClientStats {
    return { ...this.#counts };
  }

  /** Starts the program, unless it runs; resolves when it is ready. Every operation does so by itself. */
  async connect(options: OperationOptions = {}): Promise<void> {
    const { program, runtime, policies } = this.#settings;
    await policies.run({ type: "stdio.connect", kind: "request", idempotent: true, ...options }, (attempt) =>
      operate({ ...attempt, program, runtime }, (operation) => this.#supervisor.open(operation)),
    );
  }

  /** Tells of each change of state from now on; gives back what takes the listener off again. It must not throw. */
  onState(listener: (change: ClientStateChange) => void): () => void {
    return this.#supervisor.onState(listener);
  }

  /** How it fares, by `ping` if there is one, for whose answer it waits no longer than `timeoutMs` (5,000 unless told). Never rejects. */
  async health({ timeoutMs = 5_000, signal }: OperationOptions = {}): Promise<ClientHealth> {
    const { ping, program, runtime } = this.#settings;
    const { state, session, lastError } = this.#supervisor;
    if (!ping || !session || state !== "open") return { state, lastError };
    const start = runtime.now();
    try {
      await operate({ program, runtime, signal, timeoutMs }, (operation) =>
        runHook(ping, "ping", session, this.#settings, operation),
      );
      return { state: this.state, roundTripMs: runtime.now() - start, lastError };
    } catch (thrown) {
      return { state: this.state, lastError: toParleyError(thrown) };
    }
  }

  send(message: StdioFormats[Format]["sent"], options?: EffectOptions): Promise<void> {
    return this.#dialogue.send(message, options);
  }

  request(
    question: StdioFormats[Format]["sent"],
    options?: StdioRequestOptions<Format>,
  ): Promise<StdioFormats[Format]["answer"]> {
    return this.#dialogue.request(question, options);
  }

  receive(options?: OperationOptions): Promise<StdioFormats[Format]["received"]> {
    return this.#dialogue.receive(options);
  }

  readUntil(this: StdioClient<"raw">, until: Until, options?: OperationOptions): Promise<string> {
    return this.#dialogue.readUntil(until, options);
  }

  batch(
    this: StdioClient<"jsonrpc">,
    requests: readonly JsonRpcMessage[],
    options?: EffectOptions,
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    return this.#dialogue.batch(requests, options);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<StdioFormats[Format]["received"], undefined, undefined> {
    return this.#dialogue[Symbol.asyncIterator]();
  }

  /** Ends the program's stdin, after what waits for it: there will be no more. What it still writes is read. */
  async end(options: OperationOptions = {}): Promise<void> {
    await this.#run("end", options, async (session) => session.endInput());
  }

  /** Sends a signal to the program and what it has started, as `SIGINT` to interrupt it. */
  kill(signal: NodeJS.Signals): void {
    this.#supervisor.session?.kill(signal);
  }

  /**
   * Takes nothing new, lets what is under way end within the grace, then ends the program: its stdin, then SIGTERM, then SIGKILL. Idempotent;
   * resolves when nothing of it is left.
   */
  close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    return this.#supervisor.close(durationOption("graceMs", graceMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Runs what `close` waits for. */
  async #tracked<Value>(
    action: Exclude<Action, "read">,
    options: EffectOptions,
    attempt: Attempt<Value>,
  ): Promise<Value> {
    const { maxCalls, program, policies, timeoutMs } = this.#settings;
    if (this.#active.size >= maxCalls) {
      const problem = `${maxCalls} operations on ${program} are under way, the most that maxCalls permits`;
      throw new TransportError("resource_exhausted", problem, { outcome: "not-sent" });
    }
    const kind = action === "send" ? "notify" : "request";
    const limits = { ...options, timeoutMs: options.timeoutMs ?? timeoutMs };
    const running = policies.run({ type: `stdio.${action}`, kind, ...limits }, attempt);
    this.#active.add(running);
    try {
      return await running;
    } finally {
      this.#active.delete(running);
    }
  }
}
