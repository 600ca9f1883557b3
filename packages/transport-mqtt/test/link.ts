import {
  type Arrival,
  type Broker,
  createEnvelope,
  type Destination,
  type Envelope,
  type EnvelopeInit,
  type ParleyError,
  systemRuntime,
  type Unread,
} from "@parley/core/transport";
import { openMqtt } from "../src/open.ts";
import type { MqttOptions } from "../src/options.ts";

/** A link at the level of the seam, with what it told. */
export interface TestLink extends AsyncDisposable {
  readonly broker: Broker;
  readonly inbox: Inbox;
  readonly refused: ParleyError[];
  /** What could be read of those, each in its place. */
  readonly unread: (Unread | undefined)[];
  readonly down: Promise<ParleyError>;
  /** Sends with a confirmation. */
  confirmed(to: Destination, message: Envelope): Promise<void>;
  /** Subscribes, with what comes. */
  subscribe(at: { readonly agent: string } | { readonly filter: string }): Promise<Inbox>;
}

/** Takes arrivals, for as long as a test waits for them. */
export class Inbox {
  readonly arrivals: Arrival[] = [];
  stop: () => Promise<void> = async () => {};
  #waiting: (() => void)[] = [];
  #read = 0;

  take(arrival: Arrival): void {
    this.arrivals.push(arrival);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** The next arrival that was not read yet. */
  async next(): Promise<Arrival> {
    while (this.arrivals.length <= this.#read) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.arrivals[this.#read++] as Arrival;
  }
}

/** Opens a link. */
export async function openLinkTo(
  url: URL,
  options: MqttOptions = {},
  { answers = false, signal }: { readonly answers?: boolean; readonly signal?: AbortSignal } = {},
): Promise<TestLink> {
  const inbox = new Inbox();
  const refused: ParleyError[] = [];
  const unread: (Unread | undefined)[] = [];
  let fell: (error: ParleyError) => void = () => {};
  const down = new Promise<ParleyError>((resolve) => {
    fell = resolve;
  });
  const open = openMqtt({ url, options, answers, connectTimeoutMs: 2_000, runtime: systemRuntime });
  const events = {
    inbox: (arrival: Arrival) => inbox.take(arrival),
    refused: (error: ParleyError, read?: Unread) => {
      refused.push(error);
      unread.push(read);
    },
    down: (error: ParleyError) => fell(error),
  };
  const broker = await open(events, signal);
  return {
    broker,
    inbox,
    refused,
    unread,
    down,
    confirmed: (to, message) =>
      new Promise((resolve, reject) => {
        broker.publish(to, message, (error) => (error ? reject(error) : resolve()));
      }),
    async subscribe(at) {
      const taken = new Inbox();
      taken.stop = await broker.subscribe(at, (arrival) => taken.take(arrival));
      return taken;
    },
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

/** A message. */
export function message(init: Partial<EnvelopeInit> = {}): Envelope {
  return createEnvelope({ kind: "request", type: "text.echo.v1", source: "test", ...init });
}
