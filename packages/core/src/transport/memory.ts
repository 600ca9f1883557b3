import { ParleyError, TransportError } from "../call/error.ts";
import { shortId } from "../envelope/id.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import type { Channel, ChannelEvents, OpenChannel } from "./channel/channel.ts";
import { type ChannelListener, channelListener } from "./channel-listener.ts";
import type { Limits, Manifest } from "./manifest.ts";
import { type ChannelOptions, channelLimits, dialChannel } from "./over-channel.ts";
import type { Transport } from "./transport.ts";

/** Which side wrote a frame. */
export type MemorySide = "dialler" | "listener";

/** The pipe of one connection, in the hands of a tap: for tests that lose, forge, delay or cut. */
export interface MemoryWire {
  /** Delivers a frame as if `from` had written it. The tap does not see it. */
  deliver(frame: string, from: MemorySide): void;
  /** Ends the connection for both sides: as if each had closed it, or, with a cause, as a wire that broke. */
  cut(cause?: unknown): void;
}

/** Sees every frame as it leaves. `false` keeps it back; anything else lets it pass. */
export type MemoryTap = (frame: string, from: MemorySide, wire: MemoryWire) => boolean | undefined;

/** Options of {@link memory}. */
export interface MemoryOptions
  extends Pick<ChannelOptions, "heartbeatMs" | "helloTimeoutMs" | "maxQueuedChars" | "resume"> {
  /** @default {@link channelLimits} */
  readonly limits?: Limits | undefined;
  /** Listens in on the connections that this transport dials. */
  readonly tap?: MemoryTap | undefined;
}

const listeners = new Map<string, ChannelListener>();

/**
 * Calls within one process, through the real codec and the real machine of calls: `memory://name`. The reference that all wires are held
 * to, and the quickest way to test agents. Listening at `memory://` takes a free name.
 */
export function memory(options: MemoryOptions = {}): Transport {
  const { tap, limits = channelLimits, ...rest } = options;
  const channel = { transport: "memory", limits, ...rest };
  return {
    name: "memory",
    schemes: ["memory"],
    manifest: manifestWith(limits),
    async connect(url, { handler, runtime = systemRuntime, log, connectTimeoutMs, signal, session } = {}) {
      const listener = listeners.get(nameOf(url));
      if (!listener) {
        throw new TransportError("unavailable", `nobody listens at ${url.href} in this process`, {
          outcome: "not-sent",
        });
      }
      const [near, far] = pipe(runtime, tap);
      listener.accept(far, { address: "memory" });
      return dialChannel(near, {
        ...channel,
        address: url.href,
        handler,
        runtime,
        log,
        signal,
        session,
        helloTimeoutMs: connectTimeoutMs ?? rest.helloTimeoutMs,
      });
    },
    async listen(url, handler, { runtime = systemRuntime, log } = {}) {
      const name = nameOf(url) || shortId(runtime);
      if (listeners.has(name)) {
        throw new ParleyError("already_exists", `memory://${name} is taken: somebody listens there in this process`, {
          outcome: "not-sent",
        });
      }
      const listener = channelListener({
        url: new URL(`memory://${name}`),
        channel: { ...channel, handler, runtime, log },
        sessions: {},
        stop: () => void listeners.delete(name),
      });
      listeners.set(name, listener);
      return listener;
    },
  };
}

function nameOf(url: URL): string {
  return url.host || url.pathname.replace(/^\/+/, "");
}

function manifestWith(limits: Limits): Manifest {
  return {
    kinds: {
      notify: "native",
      request: "native",
      "server-stream": "native",
      "client-stream": "native",
      "bidi-stream": "native",
      publish: "native",
      subscribe: "native",
    },
    delivery: "at-most-once",
    cancel: "peer",
    backpressure: "stream",
    ordering: "connection",
    resume: "session",
    duplicates: false,
    gaps: false,
    serverInitiated: true,
    wildcards: true,
    lateSubscriber: "nothing",
    limits,
    broker: null,
  };
}

/** Both ends of a pipe. */
function pipe(runtime: Runtime, tap: MemoryTap | undefined): readonly [OpenChannel, OpenChannel] {
  const wire: MemoryWire = {
    deliver: (frame, from) => (from === "dialler" ? far : near).arrive([frame]),
    cut(cause) {
      near.lose(cause);
      far.lose(cause);
    },
  };
  const near = new MemoryEnd(runtime, tap && ((frame) => tap(frame, "dialler", wire)));
  const far = new MemoryEnd(runtime, tap && ((frame) => tap(frame, "listener", wire)));
  near.peer = far;
  far.peer = near;
  return [(events) => near.open(events), (events) => far.open(events)];
}

/** One end: what is written here arrives at the other in a later turn. */
class MemoryEnd implements Channel {
  readonly #runtime: Runtime;
  readonly #tap: ((frame: string) => boolean | undefined) | undefined;
  peer: MemoryEnd | undefined;
  #events: ChannelEvents | undefined;
  #arriving: string[] = [];
  #deliveryDue = false;
  #ended = false;

  constructor(runtime: Runtime, tap: ((frame: string) => boolean | undefined) | undefined) {
    this.#runtime = runtime;
    this.#tap = tap;
  }

  open(events: ChannelEvents): Channel {
    this.#events = events;
    return this;
  }

  write(frames: readonly string[]): boolean {
    if (!this.#tap) this.peer?.arrive(frames);
    // One by one, so that what the tap delivers itself keeps its place.
    else for (const frame of frames) if (this.#tap(frame) !== false) this.peer?.arrive([frame]);
    return true;
  }

  close(reason?: ParleyError): void {
    if (this.#ended) return;
    this.#ended = true;
    const { peer } = this;
    this.#runtime.nextTurn(() => this.#events?.closed(reason));
    peer?.end();
  }

  arrive(frames: readonly string[]): void {
    for (const frame of frames) this.#arriving.push(frame);
    if (this.#deliveryDue) return;
    this.#deliveryDue = true;
    this.#runtime.nextTurn(() => this.#deliver());
  }

  /** The other end has closed: what it wrote before still arrives. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#runtime.nextTurn(() => {
      this.#deliver();
      this.#events?.closed();
    });
  }

  /** The wire is gone: with a cause, at once; without, after what has arrived. */
  lose(cause: unknown): void {
    if (cause === undefined) return this.end();
    if (this.#ended) return;
    this.#ended = true;
    this.#arriving = [];
    this.#runtime.nextTurn(() => this.#events?.closed(cause));
  }

  #deliver(): void {
    this.#deliveryDue = false;
    const frames = this.#arriving;
    this.#arriving = [];
    for (const frame of frames) this.#events?.frame(frame);
  }
}
