import { ParleyError, TransportError } from "../../src/call/error.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { type ChannelListener, channelListener } from "../../src/transport/channel-listener.ts";
import type { Manifest } from "../../src/transport/manifest.ts";
import { memory } from "../../src/transport/memory.ts";
import { type ChannelOptions, channelLimits, dialChannel } from "../../src/transport/over-channel.ts";
import type { SessionKeeper } from "../../src/transport/session/keeper.ts";
import type { SessionsOptions } from "../../src/transport/session/sessions.ts";
import type { ResumeOptions } from "../../src/transport/session/terms.ts";
import type { Connection, ConnectOptions, Transport } from "../../src/transport/transport.ts";
import { Cable, type Way } from "./cable.ts";
import type { Network } from "./network.ts";
import type { Fault } from "./plan.ts";
import { SESSION_MODULUS, SessionWatch } from "./session-watch.ts";
import type { SimulatedProcess, Simulation } from "./simulation.ts";
import { Strangers } from "./strangers.ts";
import type { WireMischief } from "./wire-mischief.ts";

const HEARTBEAT_MS = 500;

/** Small windows, so that credit matters. */
const limits = { ...channelLimits, windowItems: 8, windowBytes: 4_096 };

/** How long a session waits for its client, ms: for longer than all that a plan does to it at most. */
export const SESSION_WINDOW_MS = 5_000;

const MAX_SESSIONS = 4;

const sessionBounds: SessionsOptions = {
  maxSessions: MAX_SESSIONS,
  maxDetachedPerPrincipal: 2,
  maxReplayChars: 8_192,
  unconfirmedMs: 1_000,
};

/** How long a client waits for the answer to hello where there are sessions, ms. */
const HELLO_MS = 400;

/** What goes on for a while. */
type Lasting = "refuse" | "lose" | "repeat" | "late-hello" | "lost-answer";

/** How a wire is, and who looks at it. */
export interface SimulatedWireOptions {
  /** Connections outlive their channels. @default false */
  readonly sessions?: boolean;
  readonly mischief?: WireMischief | undefined;
  violation?(text: string): void;
}

/** Whom a cable is for. */
interface LaidFor {
  /** Told of each frame as it is written. */
  readonly seen?: ((way: Way, frame: string) => void) | undefined;
  readonly stranger?: boolean;
}

/** The wires between clients and a server: frames arrive in their order, after a delay, unless a fault has it otherwise. */
export class SimulatedWire implements Network {
  readonly #simulation: Simulation;
  readonly #sessions: boolean;
  readonly #mischief: WireMischief;
  readonly #resume: ResumeOptions;
  /** Absent where there are no sessions. */
  readonly #watch: SessionWatch | undefined;
  readonly #cables = new Set<Cable>();
  /** How many faults ask for it at present. */
  readonly #counts: Record<Lasting, number> = { refuse: 0, lose: 0, repeat: 0, "late-hello": 0, "lost-answer": 0 };
  #listener: ChannelListener | undefined;
  #server: SimulatedProcess | undefined;
  readonly #strangers: Strangers;
  #forgets = false;
  #latest: Connection | undefined;

  constructor(simulation: Simulation, options: SimulatedWireOptions = {}) {
    const { sessions = false, mischief = {}, violation = () => {} } = options;
    this.#simulation = simulation;
    this.#sessions = sessions;
    this.#mischief = mischief;
    // Small rings, so that they are full.
    const bytes = sessions ? simulation.random.pick([1_200, 4_096]) : 4_096;
    this.#resume = { windowMs: SESSION_WINDOW_MS, messages: 8, bytes, ackEvery: 4, modulus: SESSION_MODULUS };
    this.#strangers = new Strangers({
      simulation,
      lay: (process) => this.#lay(process, { stranger: true }),
      options: (process) => this.#channel(process.runtime),
      violation,
    });
    this.#watch = sessions ? new SessionWatch(simulation, violation) : undefined;
  }

  /** A transport of one process. */
  transport(process: SimulatedProcess): Transport {
    const manifest: Manifest = { ...memory().manifest, resume: this.#sessions ? "session" : "none", limits };
    return {
      name: "simulated",
      schemes: ["sim"],
      manifest,
      connect: (_url, options = {}) => this.#dial(process, options),
      listen: async (url, handler) => {
        this.#server = process;
        const { serverRuntime = (runtime) => runtime } = this.#mischief;
        const channel = { ...this.#channel(serverRuntime(process.runtime)), handler };
        const sessions = this.#sessions ? sessionBounds : undefined;
        const listener = channelListener({ url, channel, sessions, stop: () => {} });
        this.#listener = listener;
        return listener;
      },
    };
  }

  strike(fault: Fault): void {
    const cables = [...this.#cables];
    switch (fault.is) {
      // Of what is under way in each direction, a part still arrives.
      case "cut":
        return this.#cut();
      // Without a word to anybody.
      case "mute-up":
      case "mute-down":
        for (const cable of cables) cable.mute(fault.is === "mute-up" ? "up" : "down");
        return;
      case "stall":
        for (const cable of cables) cable.stall(fault.forMs);
        return;
      case "zombie":
        for (const cable of cables) cable.leave(fault.forMs);
        return;
      case "away":
        this.#cut();
        return this.#holds("refuse", SESSION_WINDOW_MS + fault.forMs);
      case "late-hello":
      case "lost-answer":
        this.#cut();
        return this.#holds(fault.is, fault.forMs);
      case "refuse":
      case "lose":
      case "repeat":
        return this.#holds(fault.is, fault.forMs);
      case "forget":
        this.#forgets = true;
        return this.#cut();
      case "stuck":
        for (const cable of cables) cable.mute("up");
        this.#simulation.after(fault.forMs, () => this.strike({ is: "forget", atMs: fault.atMs }));
        return;
      case "crowd":
        this.#cut();
        this.#holds("refuse", fault.forMs / 4);
        return this.#strangers.crowd(MAX_SESSIONS, fault.forMs);
      case "thief":
        return this.#strangers.steal(this.#watch?.hello, this.#watch?.session);
      case "echo":
        return this.#strangers.echo(this.#watch?.hello, "client");
    }
  }

  crash(process: SimulatedProcess): void {
    process.crash();
    if (this.#server !== process) return;
    this.#listener = undefined;
    this.#cut();
  }

  remains(): readonly string[] {
    return this.#watch?.remains() ?? [];
  }

  #channel(runtime: Runtime): ChannelOptions {
    return { transport: "simulated", limits, heartbeatMs: HEARTBEAT_MS, resume: this.#resume, runtime };
  }

  async #dial(
    process: SimulatedProcess,
    { handler, signal, session, connectTimeoutMs = 10_000 }: ConnectOptions,
  ): Promise<Connection> {
    const { random } = this.#simulation;
    const { near = (open) => open } = this.#mischief;
    await this.#pause(process, random.next() * 5);
    if (this.#counts.refuse > 0) throw nobody();
    if (this.#forgets) session?.kept?.lose(new ParleyError("data_loss", "the client has forgotten its session"));
    this.#forgets = false;
    const cable = this.#lay(process, { seen: this.#watch?.opened() });
    if (this.#counts["late-hello"] > 0) cable.stall(random.next() * HELLO_MS * 3, ["up"]);
    if (this.#counts["lost-answer"] > 0) {
      cable.mute("down");
      if (random.chance(0.5)) this.#simulation.after(random.next() * 20, () => cable.cut());
    }
    const { runtime } = process;
    const own = this.#sessions
      ? { session: session && this.#keeper(session, runtime), helloTimeoutMs: HELLO_MS }
      : { helloTimeoutMs: connectTimeoutMs };
    const options = { ...this.#channel(runtime), ...own, handler, signal };
    this.#latest = await dialChannel(near(cable.near, runtime), options);
    return this.#latest;
  }

  #keeper(session: SessionKeeper, runtime: Runtime): SessionKeeper {
    const right: SessionKeeper["move"] = (call, from) => session.move(call, from);
    const move = this.#mischief.move?.(right, runtime, () => this.#latest);
    if (!move) return session;
    return {
      get kept() {
        return session.kept;
      },
      keep: (kept) => session.keep(kept),
      cut: (reason) => session.cut(reason),
      progressed: () => session.progressed(),
      move,
    };
  }

  /** A cable to the server, which serves it; those of a `stranger` are let alone by faults. */
  #lay(client: SimulatedProcess, { seen, stranger = false }: LaidFor): Cable {
    const listener = this.#listener;
    const server = this.#server;
    if (!listener || !server?.alive) throw nobody();
    const { far = (open) => open, ignoresPrincipals = false } = this.#mischief;
    const cable: Cable = new Cable({
      simulation: this.#simulation,
      client,
      server,
      busy: this.#sessions,
      copies: (way, frame) => {
        seen?.(way, frame);
        return stranger ? 1 : this.#copies(frame);
      },
      over: () => this.#cables.delete(cable),
    });
    if (!stranger) this.#cables.add(cable);
    listener.accept(far(cable.far, server.runtime), {
      address: client.name,
      principal: ignoresPrincipals ? "anybody" : client.name,
    });
    return cable;
  }

  #copies(frame: string): number {
    const { random } = this.#simulation;
    // Sessions make good what goes wrong with what they count; what becomes of hello is other faults' part.
    if (!frame.includes('"sn":')) return 1;
    if (this.#counts.lose > 0 && random.chance(0.1)) return 0;
    return this.#counts.repeat > 0 && random.chance(0.1) ? 2 : 1;
  }

  #cut(): void {
    for (const cable of [...this.#cables]) cable.cut();
  }

  #holds(what: Lasting, forMs: number): void {
    this.#counts[what]++;
    this.#simulation.after(forMs, () => this.#counts[what]--);
  }

  #pause(process: SimulatedProcess, delayMs: number): Promise<void> {
    return new Promise((resolve) => process.runtime.setTimer(resolve, delayMs));
  }
}

function nobody(): TransportError {
  return new TransportError("unavailable", "nobody listens", { outcome: "not-sent" });
}
