import { TransportError } from "../../src/call/error.ts";
import { decode } from "../../src/envelope/decode.ts";
import type { Envelope } from "../../src/envelope/envelope.ts";
import { utf8Length } from "../../src/envelope/utf8.ts";
import type { Destination, OpenBroker } from "../../src/transport/broker/broker.ts";
import { encodeMessage } from "../../src/transport/broker/encode-message.ts";
import type { BrokerPromises, Manifest } from "../../src/transport/manifest.ts";
import { memory } from "../../src/transport/memory.ts";
import { dialBroker, listenBroker } from "../../src/transport/over-broker.ts";
import { channelLimits } from "../../src/transport/over-channel.ts";
import type { Transport } from "../../src/transport/transport.ts";
import type { Network } from "./network.ts";
import type { Fault } from "./plan.ts";
import { SimulatedLink, type Subscription } from "./simulated-link.ts";
import type { SimulatedProcess, Simulation } from "./simulation.ts";

/** What a test can have a broker do wrong, beside what its plan says. */
export interface BrokerMischief {
  /** Changes a message on its way to a receiver, or takes it away. */
  tamper?(message: Envelope, repeated: boolean): Envelope | undefined;
  /** @default 300 */
  readonly leaseMs?: number;
}

/** A broker has forgotten nobody's link before so long, ms: half open ones are noticed by then. */
const KEEPALIVE_MS = 400;

/** Small windows, so that credit matters. */
const limits = { ...channelLimits, windowItems: 8, windowBytes: 4_096 };

/**
 * A broker and the links to it. Each queue keeps its order, and has a pace of its own; links can end, go silent and come back; while it is
 * told to it drops or repeats messages, whatever it has said of them to their senders. What it can beyond that differs from seed to seed.
 */
export class SimulatedBroker implements Network {
  readonly #simulation: Simulation;
  readonly #mischief: BrokerMischief;
  readonly #promises: BrokerPromises;
  readonly #links = new Set<SimulatedLink>();
  readonly #byInbox = new Map<string, SimulatedLink>();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #counts = { refuse: 0, lose: 0, repeat: 0 };
  #full: Promise<void> | undefined;
  #made = 0;

  constructor(simulation: Simulation, mischief: BrokerMischief = {}) {
    const { random } = simulation;
    this.#simulation = simulation;
    this.#mischief = mischief;
    this.#promises = {
      replicas: true,
      noResponders: random.chance(0.8),
      senderIdentity: true,
      presence: random.chance(0.7),
      lossDetection: "sequence",
      overflow: "drop-new",
      expiryResolutionMs: 0,
    };
  }

  transport(process: SimulatedProcess): Transport {
    const { leaseMs = 300 } = this.#mischief;
    const { runtime } = process;
    const manifest: Manifest = { ...memory().manifest, resume: "none", limits };
    const common = { transport: "simulated", agent: "server", limits, leaseMs, acceptWithinMs: 400, runtime };
    return {
      name: "simulated",
      schemes: ["sim"],
      manifest,
      connect: (_url, options) => dialBroker(this.#open(process), { ...common, ...options, runtime }),
      listen: (url, handler) => listenBroker(this.#open(process), handler, { ...common, url }),
    };
  }

  strike(fault: Fault): void {
    const { is } = fault;
    const mine = (server: boolean): readonly SimulatedLink[] =>
      [...this.#links].filter(({ process }) => process.name.startsWith("server") === server);
    switch (is) {
      case "cut":
      case "cut-server":
        for (const link of mine(is === "cut-server")) this.#cut(link);
        return;
      case "mute-up":
      case "mute-down":
      case "mute-server":
        for (const link of mine(is === "mute-server")) this.#mute(link);
        return;
      case "stall":
        for (const link of this.#links) link.stall(fault.forMs);
        this.#full = new Promise((resolve) => {
          this.#simulation.after(fault.forMs, () => {
            this.#full = undefined;
            resolve();
          });
        });
        return;
      case "refuse":
      case "lose":
      case "repeat":
        this.#counts[is]++;
        this.#simulation.after(fault.forMs, () => this.#counts[is]--);
        return;
      case "broker-restart":
        this.#counts.refuse++;
        this.#simulation.after(fault.forMs, () => this.#counts.refuse--);
        this.#watchers.clear();
        for (const link of [...this.#links]) this.#cut(link);
        for (const link of [...this.#links]) this.#forget(link);
    }
  }

  crash(process: SimulatedProcess): void {
    process.crash();
    for (const link of [...this.#links]) if (link.process === process) this.#forgetSoon(link, 20);
  }

  /** The process is told soon, the broker notices when it does. */
  #cut(link: SimulatedLink): void {
    link.cut(new TransportError("unavailable", "the link was cut", { outcome: "unknown" }));
    this.#forgetSoon(link, 50);
  }

  #mute(link: SimulatedLink): void {
    const { random } = this.#simulation;
    link.mute();
    this.#forgetSoon(link, KEEPALIVE_MS);
    this.#simulation.after(random.next() * KEEPALIVE_MS, () =>
      link.end(new TransportError("unavailable", "the broker is silent", { outcome: "unknown" })),
    );
  }

  #forgetSoon(link: SimulatedLink, withinMs: number): void {
    this.#simulation.after(this.#simulation.random.next() * withinMs, () => this.#forget(link));
  }

  /** The broker knows that the link is gone, and tells those who watch it. */
  #forget(link: SimulatedLink): void {
    if (!this.#links.delete(link)) return;
    this.#byInbox.delete(link.inbox);
    for (const gone of this.#watchers.get(link.inbox) ?? []) gone();
    this.#watchers.delete(link.inbox);
  }

  #open(process: SimulatedProcess): OpenBroker {
    return async (events) => {
      await new Promise<void>((resolve) => process.runtime.setTimer(resolve, this.#simulation.random.next() * 5));
      if (this.#counts.refuse > 0)
        throw new TransportError("unavailable", "the broker is down", { outcome: "not-sent" });
      const inbox = `inbox/${process.name}/${++this.#made}`;
      const link = new SimulatedLink(this.#simulation, process, inbox, events);
      this.#links.add(link);
      this.#byInbox.set(inbox, link);
      return {
        inbox,
        promises: this.#promises,
        publish: (to, message, confirm) => {
          const text = encodeMessage(message);
          link.up.send(() => {
            const error = this.#route(link, to, text, confirm !== undefined);
            if (confirm) link.down.send(() => confirm(error));
          });
        },
        subscribe: async (at, on) => {
          const subscription = link.subscription(at, on);
          await link.round(() => void link.subscriptions.add(subscription));
          return async () => {
            await link.round(() => void link.subscriptions.delete(subscription)).catch(() => {});
          };
        },
        ...(this.#promises.presence && { watch: (other: string, gone: () => void) => this.#watch(link, other, gone) }),
        writable: () => this.#full,
        close: async () => {
          await link.round(() => this.#forget(link)).catch(() => {});
          link.close();
        },
      };
    };
  }

  #watch(link: SimulatedLink, inbox: string, gone: () => void): () => void {
    let watching = true;
    const tell = (): void => {
      link.down.send(() => {
        if (watching) gone();
      });
    };
    link.up.send(() => {
      if (!watching) return;
      // A will is told as it is asked for, when it was told before.
      if (!this.#byInbox.has(inbox)) return tell();
      const known = this.#watchers.get(inbox) ?? new Set();
      this.#watchers.set(inbox, known.add(tell));
    });
    return () => {
      watching = false;
      this.#watchers.get(inbox)?.delete(tell);
    };
  }

  #route(sender: SimulatedLink, to: Destination, text: string, confirmed: boolean): TransportError | undefined {
    const { random } = this.#simulation;
    const receivers = this.#receivers(to);
    for (const subscription of receivers) {
      if (this.#counts.lose > 0 && random.chance(0.3)) {
        this.#simulation.tell(`lost ${kindOf(text)}`);
        continue;
      }
      this.#deliver(sender, subscription, text, false);
      if (this.#counts.repeat === 0 || !random.chance(0.3)) continue;
      this.#simulation.after(random.next() * 30, () => this.#deliver(sender, subscription, text, true));
    }
    if (receivers.length > 0 || to.to === "topic" || !confirmed || !this.#promises.noResponders) return undefined;
    return new TransportError("unavailable", `nobody is at ${to.to} ${to.name}`, { outcome: "not-sent" });
  }

  #deliver(sender: SimulatedLink, { lane, on }: Subscription, text: string, repeated: boolean): void {
    const { tamper } = this.#mischief;
    lane.send(() => {
      this.#simulation.tell(`${sender.process.name} ${text.length} ${kindOf(text)}${repeated ? " again" : ""}`);
      const message = decode(text);
      const tampered = tamper ? tamper(message, repeated) : message;
      if (tampered) on({ message: tampered, bytes: utf8Length(text), from: sender.inbox });
    });
  }

  #receivers(to: Destination): readonly Subscription[] {
    if (to.to === "inbox") {
      const link = this.#byInbox.get(to.name);
      return link ? [link.own] : [];
    }
    const all = [...this.#links].flatMap(({ subscriptions }) =>
      [...subscriptions].filter(({ at }) =>
        to.to === "topic" ? "filter" in at && at.filter === to.name : "agent" in at && at.agent === to.name,
      ),
    );
    return to.to === "agent" && all.length > 1 ? [this.#simulation.random.pick(all)] : all;
  }
}

function kindOf(text: string): string {
  return /"kind":"([a-z-]+)"/.exec(text)?.[1] ?? "?";
}
