import { type ParleyError, TransportError } from "../src/call/error.ts";
import { decode } from "../src/envelope/decode.ts";
import type { Envelope } from "../src/envelope/envelope.ts";
import { utf8Length } from "../src/envelope/utf8.ts";
import { systemRuntime } from "../src/runtime/runtime.ts";
import type {
  Address,
  Arrival,
  Broker,
  BrokerEvents,
  Destination,
  OpenBroker,
} from "../src/transport/broker/broker.ts";
import { encodeMessage } from "../src/transport/broker/encode-message.ts";
import type { BrokerPromises } from "../src/transport/manifest.ts";

/** A message on its way to one process. */
export interface Passage {
  readonly message: Envelope;
  readonly to: Destination["to"];
  /** Names of the processes. */
  readonly from: string;
  readonly receiver: string;
  readonly confirmed: boolean;
  /** How many messages it came with, itself among them. */
  readonly together: number;
}

/** What becomes of a passage: it arrives once, never, twice, or when it is let go. */
export type Fate = "drop" | "twice" | Promise<unknown> | undefined;

/** A process as the broker sees it. */
export interface TestLink {
  readonly name: string;
  readonly inbox: string;
  /** The process dies: it neither hears nor says anything more, and the broker tells those who watch. */
  kill(): void;
  /** The link is lost: the process is told, and those who watch it. */
  cut(): void;
  readonly subscriptions: number;
}

/** A broker within this process, in the hands of a test: it can lose, repeat, hold back, refuse, and lose whole processes. */
export interface TestBroker {
  /** A way to it for a process of this name. `batches` says whether a message may hold several events there. @default false */
  open(name: string, options?: { readonly batches?: boolean }): OpenBroker;
  /** Decides what becomes of each message. */
  fate: (passage: Passage) => Fate;
  /** Refuses a message when it is published. */
  refuse: (message: Envelope, from: string) => ParleyError | undefined;
  /** What else an arrival says. */
  about: (passage: Passage) => Partial<Arrival>;
  /** Refuses links while set. */
  unreachable: boolean;
  /** While set, nothing can be sent. */
  full: Promise<void> | undefined;
  /** By name, the latest of each. */
  readonly links: ReadonlyMap<string, TestLink>;
  /** All that was delivered, in order. */
  readonly delivered: readonly Passage[];
  /** Keeps a publication for those who subscribe later. */
  retain(message: Envelope): void;
  /** All links are lost at once. */
  restart(): void;
}

interface Subscription {
  readonly at: Address;
  readonly on: (arrival: Arrival) => void;
}

interface Process extends TestLink {
  readonly events: BrokerEvents;
  readonly list: Set<Subscription>;
  alive: boolean;
}

/** Makes one. */
export function testBroker(given: Partial<BrokerPromises> = {}): TestBroker {
  const promises: BrokerPromises = {
    replicas: true,
    noResponders: true,
    senderIdentity: true,
    presence: true,
    lossDetection: "sequence",
    overflow: "drop-new",
    expiryResolutionMs: 0,
    ...given,
  };
  const processes = new Map<string, Process>();
  const byName = new Map<string, TestLink>();
  const watchers = new Map<string, Set<() => void>>();
  const delivered: Passage[] = [];
  const retained: Envelope[] = [];
  let turn = 0;
  let made = 0;

  const broker: TestBroker = {
    fate: () => undefined,
    refuse: () => undefined,
    about: () => ({}),
    unreachable: false,
    full: undefined,
    links: byName,
    delivered,
    open:
      (name, { batches = false } = {}) =>
      (events) =>
        link(name, events, batches),
    retain: (message) => void retained.push(message),
    restart() {
      for (const process of [...processes.values()]) process.cut();
    },
  };
  return broker;

  async function link(name: string, events: BrokerEvents, batches: boolean): Promise<Broker> {
    await nextTurn();
    if (broker.unreachable) throw new TransportError("unavailable", "the broker is down", { outcome: "not-sent" });
    const inbox = `inbox/${name}/${++made}`;
    const process: Process = {
      name,
      inbox,
      events,
      list: new Set(),
      alive: true,
      kill: () => vanish(process),
      cut() {
        if (!process.alive) return;
        vanish(process);
        events.down(new TransportError("unavailable", "the link was cut", { outcome: "unknown" }));
      },
      get subscriptions() {
        return process.list.size;
      },
    };
    processes.set(inbox, process);
    byName.set(name, process);
    let closing = false;
    return {
      inbox,
      promises,
      publish(to, message, confirm) {
        if (!process.alive || closing) return;
        const text = encodeMessage(message);
        systemRuntime.nextTurn(() => {
          const error = broker.refuse(message, name) ?? route(process, to, text, confirm !== undefined);
          if (process.alive) confirm?.(error);
        });
      },
      ...(batches && {
        publishBatch(name: string, texts: readonly string[]) {
          if (!process.alive || closing) return;
          systemRuntime.nextTurn(() => {
            for (const text of texts) route(process, { to: "inbox", name }, text, false, texts.length);
          });
        },
      }),
      async subscribe(at, on) {
        const subscription = { at, on };
        await nextTurn();
        process.list.add(subscription);
        if ("filter" in at) {
          for (const message of retained.filter(({ subject = "" }) => matches(at.filter, subject)))
            on({ message, retained: true });
        }
        return async () => {
          await nextTurn();
          process.list.delete(subscription);
        };
      },
      ...(promises.presence && { watch }),
      writable: () => broker.full,
      async close() {
        closing = true;
        await nextTurn();
        // What was published before leaves.
        await nextTurn();
        vanish(process);
      },
    };
  }

  function watch(inbox: string, gone: () => void): () => void {
    const known = watchers.get(inbox) ?? new Set();
    watchers.set(inbox, known.add(gone));
    return () => void known.delete(gone);
  }

  function vanish(process: Process): void {
    if (!process.alive) return;
    process.alive = false;
    process.list.clear();
    processes.delete(process.inbox);
    const told = watchers.get(process.inbox) ?? [];
    watchers.delete(process.inbox);
    for (const gone of told) gone();
  }

  function route(
    sender: Process,
    to: Destination,
    text: string,
    confirmed: boolean,
    together = 1,
  ): ParleyError | undefined {
    const receivers = receiversOf(to);
    for (const [process, on] of receivers) {
      const passage: Passage = {
        message: decode(text),
        to: to.to,
        from: sender.name,
        receiver: process.name,
        confirmed,
        together,
      };
      const deliver = (): void => {
        if (!process.alive) return;
        delivered.push(passage);
        on({ message: decode(text), bytes: utf8Length(text), from: sender.name, ...broker.about(passage) });
      };
      const fate = broker.fate(passage);
      if (fate === "drop") continue;
      if (fate instanceof Promise) void fate.then(deliver);
      else deliver();
      if (fate === "twice") deliver();
    }
    if (receivers.length > 0 || to.to === "topic" || !promises.noResponders) return undefined;
    return new TransportError("unavailable", `nobody is at ${to.to} ${to.name}`, { outcome: "not-sent" });
  }

  function receiversOf(to: Destination): (readonly [Process, (arrival: Arrival) => void])[] {
    if (to.to === "inbox") {
      const process = processes.get(to.name);
      return process ? [[process, (arrival) => process.events.inbox(arrival)]] : [];
    }
    const all = [...processes.values()].flatMap((process) =>
      [...process.list]
        .filter(({ at }) =>
          to.to === "topic" ? "filter" in at && matches(at.filter, to.name) : "agent" in at && at.agent === to.name,
        )
        .map(({ on }) => [process, on] as const),
    );
    if (to.to !== "agent" || all.length === 0) return all;
    const at = turn++ % all.length;
    return all.slice(at, at + 1);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => systemRuntime.nextTurn(resolve));
}

/** MQTT's rules (MQTT 5, 4.7). */
function matches(filter: string, topic: string): boolean {
  const patterns = filter.split("/");
  const segments = topic.split("/");
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  for (const [index, pattern] of patterns.entries()) {
    if (pattern === "#") return true;
    if (index >= segments.length || (pattern !== "+" && pattern !== segments[index])) return false;
  }
  return patterns.length === segments.length;
}
