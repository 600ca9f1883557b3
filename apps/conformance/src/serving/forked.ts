import type { ConnectionStats } from "@parley/core/transport";
import type { Snapshot } from "../hygiene.ts";
import type { Exit, HandlerEvent, ListenRequest, Serving, ServingOrder, ServingSignal } from "./control.ts";
import { ServingProcess } from "./serving-process.ts";

const MAX_EVENTS = 100_000;

/**
 * Starts the serving side in a process of its own; resolves when it takes commands.
 * @throws Error when it ends before that, with what it wrote to stderr.
 */
export async function forkServing(order: ServingOrder, startTimeoutMs: number): Promise<Serving> {
  const serving = new ForkedServing(order, startTimeoutMs);
  await serving.ready();
  return serving;
}

class ForkedServing implements Serving {
  readonly #order: ServingOrder;
  readonly #startTimeoutMs: number;
  #process: ServingProcess;
  #events: HandlerEvent[] = [];
  #listener: ((event: HandlerEvent) => void) | undefined;
  #killed = false;
  exited: Exit | undefined;
  renewed: Snapshot | undefined;

  constructor(order: ServingOrder, startTimeoutMs: number) {
    this.#order = order;
    this.#startTimeoutMs = startTimeoutMs;
    this.#process = this.#fork();
  }

  get pid(): number | undefined {
    return this.#process.child.pid;
  }

  get alive(): boolean {
    return this.#process.exit === undefined;
  }

  get events(): readonly HandlerEvent[] {
    return this.#events;
  }

  ready(): Promise<void> {
    return this.#process.ready(this.#startTimeoutMs);
  }

  onEvent(listener: ((event: HandlerEvent) => void) | undefined): void {
    this.#listener = listener;
  }

  listen(request: ListenRequest = {}): Promise<string> {
    return this.#process.ask("listen", request);
  }

  release(...gates: readonly string[]): Promise<void> {
    return this.#process.ask("release", ...gates);
  }

  stats(): Promise<ConnectionStats> {
    return this.#process.ask("stats");
  }

  snapshot(): Promise<Snapshot> {
    return this.#process.ask("snapshot");
  }

  residentBytes(): Promise<number> {
    return this.#process.ask("residentBytes");
  }

  rejections(): Promise<readonly string[]> {
    return this.#process.ask("rejections");
  }

  close(graceMs: number): Promise<void> {
    return this.#process.ask("close", graceMs);
  }

  async reset(): Promise<void> {
    await this.#process.ask("reset");
    this.#events = [];
    this.renewed = undefined;
  }

  async kill(signal: ServingSignal): Promise<void> {
    const ends = signal === "SIGKILL" || signal === "SIGTERM";
    this.#killed ||= ends;
    this.#process.signal(signal);
    if (ends) await this.#process.gone();
  }

  async start(): Promise<void> {
    if (this.alive) return;
    this.#killed = false;
    this.#process = this.#fork();
    await this.ready();
    this.renewed = await this.snapshot();
  }

  async stop(): Promise<void> {
    await this.kill("SIGKILL");
  }

  #fork(): ServingProcess {
    return new ServingProcess(this.#order, {
      event: (event) => {
        if (this.#events.length < MAX_EVENTS) this.#events.push(event);
        this.#listener?.(event);
      },
      ended: (exit) => {
        if (!this.#killed) this.exited = exit;
      },
    });
  }
}
