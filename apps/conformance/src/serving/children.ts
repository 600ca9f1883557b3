import { type ConnectionStats, codes } from "@parley/core/transport";
import { type Snapshot, snapshot } from "../hygiene.ts";
import type { Exit, HandlerEvent, ListenRequest, Serving, ServingSignal } from "./control.ts";
import type { ServingEvents, ServingLink } from "./link.ts";
import { type PipeServer, pipeServer } from "./pipe-server.ts";

const MAX_EVENTS = 100_000;

/** Starts a process that serves one connection over its stdin and stdout. */
export type StartChild = (request: ListenRequest, events: ServingEvents) => ServingLink | Promise<ServingLink>;

/**
 * The serving side of a transport that starts it as a child: a process for each connection, behind a pipe shim. Their histories come
 * together here.
 */
export function createChildren(start: StartChild, startTimeoutMs: number): Serving {
  return new Children(start, startTimeoutMs);
}

/** The exit codes by which a process says why its connection ended; 1 is also what becomes of an error that nobody caught. */
const orderly: ReadonlySet<number | null> = new Set(
  [0, ...Object.values(codes).map(({ exit }) => exit)].filter((code) => code !== 1),
);

function crashed({ code, signal }: Exit): boolean {
  return signal !== null || !orderly.has(code);
}

class Children implements Serving {
  readonly #start: StartChild;
  readonly #startTimeoutMs: number;
  readonly #processes = new Set<ServingLink>();
  readonly #servers: PipeServer[] = [];
  #released: string[] = [];
  #events: HandlerEvent[] = [];
  #rejections: string[] = [];
  #listener: ((event: HandlerEvent) => void) | undefined;
  #stopping = false;
  #killed = new WeakSet<ServingLink>();
  exited: Exit | undefined;
  readonly alive = true;
  readonly renewed = undefined;

  constructor(start: StartChild, startTimeoutMs: number) {
    this.#start = start;
    this.#startTimeoutMs = startTimeoutMs;
  }

  get pid(): number | undefined {
    const [first, ...others] = this.#processes;
    return others.length === 0 ? first?.child.pid : undefined;
  }

  get events(): readonly HandlerEvent[] {
    return this.#events;
  }

  onEvent(listener: ((event: HandlerEvent) => void) | undefined): void {
    this.#listener = listener;
  }

  async listen(request: ListenRequest = {}): Promise<string> {
    const relayed =
      request.relay && request.upstream === undefined
        ? { ...request, upstream: await this.listen({ ...request, relay: false }) }
        : request;
    const server = await pipeServer(async () => (await this.#fork(relayed)).child);
    this.#servers.push(server);
    return server.url.href;
  }

  async release(...gates: readonly string[]): Promise<void> {
    this.#released.push(...gates);
    await this.#each((one) => one.ask("release", ...gates), undefined);
  }

  async stats(): Promise<ConnectionStats> {
    const nothing = { openCalls: 0, lateMessages: 0, refusedMessages: 0 };
    const all = await this.#each((one) => one.ask<ConnectionStats>("stats"), nothing);
    const sum = (key: keyof typeof nothing): number => all.reduce((total, one) => total + one[key], 0);
    return { openCalls: sum("openCalls"), lateMessages: sum("lateMessages"), refusedMessages: sum("refusedMessages") };
  }

  /** The processes themselves: each must end with its connection. */
  async snapshot(): Promise<Snapshot> {
    const nothing: Snapshot = { resources: {}, prototype: [] };
    const all = await this.#each((one) => one.ask<Snapshot>("snapshot"), nothing);
    return {
      resources: { "serving process": this.#processes.size },
      prototype: all.find(({ prototype }) => prototype.length > 0)?.prototype ?? snapshot().prototype,
    };
  }

  /** Of the largest: how many there are says nothing about what one holds. */
  async residentBytes(): Promise<number> {
    const all = await this.#each((one) => one.ask<number>("residentBytes"), 0);
    return Math.max(0, ...all);
  }

  async rejections(): Promise<readonly string[]> {
    return this.#rejections.splice(0);
  }

  async close(graceMs: number): Promise<void> {
    const servers = this.#servers.splice(0);
    await Promise.all(servers.map((server) => server.close()));
    await this.#each((one) => one.ask("close", graceMs), undefined);
  }

  async reset(): Promise<void> {
    await this.#each((one) => one.ask("reset"), undefined);
    this.#events = [];
    this.#released = [];
    this.#killed = new WeakSet();
    this.exited = undefined;
  }

  async kill(signal: ServingSignal): Promise<void> {
    const ends = signal === "SIGKILL" || signal === "SIGTERM";
    const processes = [...this.#processes];
    for (const one of processes) {
      if (ends) this.#killed.add(one);
      one.signal(signal);
    }
    if (ends) await Promise.all(processes.map((one) => one.gone()));
  }

  /** The next connection starts a process in any case. */
  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const server of this.#servers.splice(0)) await server.close();
    await this.kill("SIGKILL");
  }

  /** Asks all processes; one that ends over it has nothing to say. */
  #each<Value>(ask: (one: ServingLink) => Promise<Value>, ended: Value): Promise<Value[]> {
    return Promise.all(
      [...this.#processes].map(async (one) => {
        try {
          return await ask(one);
        } catch (error) {
          if (one.exit || one.child.connected === false) return ended;
          throw error;
        }
      }),
    );
  }

  async #fork(request: ListenRequest): Promise<ServingLink> {
    const one: ServingLink = await this.#start(request, {
      event: (event) => {
        if (this.#events.length < MAX_EVENTS) this.#events.push(event);
        this.#listener?.(event);
      },
      rejection: (rejection) => void this.#rejections.push(rejection),
      ended: (exit) => {
        this.#processes.delete(one);
        if (crashed(exit) && !this.#stopping && !this.#killed.has(one)) this.exited ??= exit;
      },
    });
    this.#processes.add(one);
    this.#prepare(one).catch(() => {});
    return one;
  }

  /** What one that has come late must know. */
  async #prepare(one: ServingLink): Promise<void> {
    await one.ready(this.#startTimeoutMs);
    if (this.#released.length > 0) await one.ask("release", ...this.#released);
  }
}
