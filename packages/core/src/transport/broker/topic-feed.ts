import type { AbortListener, Call } from "../../call/call.ts";
import { ParleyError } from "../../call/error.ts";
import type { Reply } from "../../call/interceptor.ts";
import { withOutcome } from "../../call/outcome.ts";
import { type Envelope, hopAttributes } from "../../envelope/envelope.ts";
import { checkFilter } from "../../envelope/topic-name.ts";
import { ItemQueue, type ItemQueueOwner } from "../item-queue.ts";
import type { Arrival, Broker, Unsubscribe } from "./broker.ts";

/** Publications that wait for one subscriber. Topics know no credit: who publishes does not wait for whoever listens. */
const MAX_QUEUED = 256;

/**
 * A subscription to the broker's own topics. A reader who falls behind gets all that was kept, then `data_loss`.
 */
export class TopicFeed implements AbortListener, ItemQueueOwner {
  readonly #broker: Broker;
  readonly #call: Call;
  readonly #ended: (feed: TopicFeed) => void;
  readonly #items = new ItemQueue<Envelope>(this);
  #unsubscribe: Unsubscribe | undefined;
  #reason: ParleyError | undefined;
  #over = false;

  constructor(broker: Broker, call: Call, ended: (feed: TopicFeed) => void) {
    this.#broker = broker;
    this.#call = call;
    this.#ended = ended;
  }

  /** Resolves when the very next publication would arrive. */
  async open(): Promise<Reply> {
    this.#call.onAbort(this);
    try {
      const filter = checkFilter(this.#call.message.subject);
      if (this.#reason) throw withOutcome(this.#reason, "not-sent");
      const unsubscribe = await this.#broker.subscribe({ filter }, (arrival) => this.#push(arrival));
      if (this.#over) {
        void unsubscribe().catch(() => {});
        throw this.#reason;
      }
      this.#unsubscribe = unsubscribe;
      return { output: this.#items };
    } catch (thrown) {
      this.#close();
      throw thrown;
    }
  }

  taken(): void {}

  abandoned(): void {
    this.#close();
  }

  callAborted(reason: ParleyError): void {
    this.#end(reason, "abort");
  }

  drained(reason: ParleyError): void {
    this.#end(reason, "abort");
  }

  /** The link has ended: what has come is still read. */
  lost(error: ParleyError): void {
    this.#end(this.#unsubscribe ? withOutcome(error, "unknown") : error, "fail");
  }

  #push(arrival: Arrival): void {
    if (this.#over) return;
    if (this.#items.size < MAX_QUEUED) return this.#items.push(asItem(arrival), 0);
    const { subject } = this.#call.message;
    const message = `the reader of ${subject} is too slow: over ${MAX_QUEUED} publications wait for it, and what follows is lost`;
    this.#end(new ParleyError("data_loss", message), "fail");
  }

  #end(reason: ParleyError, how: "abort" | "fail"): void {
    if (this.#over) return;
    this.#reason = reason;
    this.#items[how](reason);
    this.#close();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#call.offAbort(this);
    // Once the link is gone there is nobody to tell.
    void this.#unsubscribe?.().catch(() => {});
    this.#ended(this);
  }
}

/** A publication as subscribers get it, without what belongs to the hop; one that the broker had kept is marked. */
function asItem({ message, retained }: Arrival): Envelope {
  const item: Record<string, unknown> = {};
  for (const name in message) if (!hopAttributes.has(name)) item[name] = message[name];
  item["kind"] = "item";
  if (retained) item["retained"] = true;
  // All that an envelope needs is among what was kept.
  return item as unknown as Envelope;
}
