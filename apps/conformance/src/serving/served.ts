import { type Client, client } from "@parley/core";
import type { Connection, ConnectionStats, Transport } from "@parley/core/transport";
import type { Snapshot } from "../hygiene.ts";
import type { LentServer } from "../lent.ts";
import type { HandlerEvent, ListenRequest, Serving } from "./control.ts";
import type { Reach } from "./reach.ts";
import { heardEvent, type ToldEvent } from "./told-event.ts";
import { type WitnessItem, witness } from "./witness-contract.ts";

const MAX_EVENTS = 100_000;

/**
 * The serving side in a server that is the user's own, which serves the `conformanceAgent`: asked over a connection beside those of the scenarios.
 * It is not closed, killed, or told how to listen; a scenario that wants that misses it.
 * @throws ParleyError when nobody answers there, or somebody else does.
 */
export async function reachServing(transport: Transport, { url, reach }: LentServer): Promise<Serving> {
  const connection = await transport.connect(url);
  try {
    const asked = client(witness, connection.call);
    const serving = new ServedServing(connection, asked, { url: url.href, reach });
    await serving.follow(asked.events(null));
    return serving;
  } catch (error) {
    await connection.close({ graceMs: 0 });
    throw error;
  }
}

class ServedServing implements Serving {
  readonly #connection: Connection;
  readonly #witness: Client<typeof witness>;
  readonly #url: string;
  readonly #reach: Reach;
  #time: number | undefined;
  #events: HandlerEvent[] = [];
  /** Number of the last event that has come, and of the last that the agent knows to have come. */
  #last = 0;
  #seen = 0;
  #listener: ((event: HandlerEvent) => void) | undefined;
  readonly pid = undefined;
  readonly exited = undefined;
  readonly renewed = undefined;
  readonly lent = true;
  alive = true;

  constructor(
    connection: Connection,
    asked: Client<typeof witness>,
    { url, reach }: { readonly url: string; readonly reach: Reach },
  ) {
    this.#connection = connection;
    this.#witness = asked;
    this.#url = url;
    this.#reach = reach;
  }

  get events(): readonly HandlerEvent[] {
    return this.#events;
  }

  onEvent(listener: ((event: HandlerEvent) => void) | undefined): void {
    this.#listener = listener;
  }

  /** Takes what its handlers see, until that ends. Resolves when it has begun. */
  async follow(items: AsyncIterable<unknown>): Promise<void> {
    const pieces = items[Symbol.asyncIterator]();
    if ((await pieces.next()).done) throw new Error("the witness ended before it had begun");
    void this.#take({ [Symbol.asyncIterator]: () => pieces });
  }

  async #take(pieces: AsyncIterable<unknown>): Promise<void> {
    let text = "";
    try {
      for await (const item of pieces) {
        const piece = item as WitnessItem; // what the agent tells
        text += piece.text;
        if (piece.more) continue;
        const event = heardEvent(JSON.parse(text) as ToldEvent);
        text = "";
        this.#tellSeen(piece.number);
        if (piece.time !== this.#time) continue;
        if (this.#events.length < MAX_EVENTS) this.#events.push(event);
        this.#listener?.(event);
      }
    } catch {
      // Without its history nothing can be judged, whatever became of it: the next scenario dials anew.
    }
    this.alive = false;
  }

  /** One such request is under way at a time. */
  #tellSeen(number: number): void {
    const telling = this.#seen < this.#last;
    this.#last = number;
    if (!telling) void this.#sendSeen();
  }

  async #sendSeen(): Promise<void> {
    while (this.#seen < this.#last && this.alive) {
      const number = this.#last;
      await this.#witness.seen(number).catch(() => {}); // what is lost with the connection ends the events as well
      this.#seen = number;
    }
  }

  async listen(request: ListenRequest = {}): Promise<string> {
    const [asked] = Object.entries(request).find(([, value]) => value !== undefined) ?? [];
    if (asked !== undefined) throw this.#reach.miss(`this server is not told how to listen (${asked})`);
    return this.#url;
  }

  async release(...gates: readonly string[]): Promise<void> {
    await this.#witness.release(gates);
  }

  async stats(): Promise<ConnectionStats> {
    const openCalls = Number(await this.#witness.openCalls(null));
    return { openCalls, lateMessages: 0, refusedMessages: 0 };
  }

  /** What its process holds is its own business. */
  async snapshot(): Promise<Snapshot> {
    return { resources: {}, prototype: [] };
  }

  async residentBytes(): Promise<number> {
    throw this.#reach.miss("this server is not asked how much memory it holds");
  }

  async rejections(): Promise<readonly string[]> {
    return [];
  }

  async close(): Promise<void> {
    throw this.#reach.miss("this server is not closed by the suite");
  }

  async reset(): Promise<void> {
    this.#time = Number(await this.#witness.reset(null));
    this.#events = [];
  }

  async kill(): Promise<void> {
    throw this.#reach.miss("the process of this server is not the suite's to stop");
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.alive = false;
    await this.#connection.close({ graceMs: 0 });
  }
}
