import { itemsOf } from "../../transport/channel/item-batch.ts";
import { decode, type Envelope, type ItemSource, PacedItems, ParleyError, readError } from "../../transport/index.ts";
import { seqAfter } from "../wire/seq.ts";
import { understood } from "./answer.ts";
import type { ClientWire, EventReader } from "./client-wire.ts";

/** What a {@link StreamAnswer} is made from. */
export interface StreamAnswerInit {
  /** Where the bytes come from: told when to stop. */
  readonly source: ItemSource;
  readonly wire: ClientWire;
  readonly maxLineBytes: number;
  /** Where the peer is, for messages. */
  readonly address: string;
  /** A reply has come: the acceptance of a stream, or the answer of a call whose items went by requests of their own. */
  readonly replied: (message: Envelope) => void;
  /** The first item, or an end, has come. May be called again. */
  readonly begun: () => void;
  /** The peer has said that there is no more, or why. Called once, before the reader learns of it. */
  readonly ended: (error: ParleyError | undefined) => void;
}

/** The answer of a stream. Items go to the reader, until an end or an error. */
export class StreamAnswer {
  readonly items: PacedItems;
  readonly #init: StreamAnswerInit;
  #reader: EventReader;
  #position: string | undefined;
  #seq = 0;
  #over = false;

  constructor(init: StreamAnswerInit) {
    this.#init = init;
    this.#reader = this.#newReader();
    this.items = new PacedItems(init.source);
  }

  /** Where to go on after a cut, if that is possible. */
  get position(): string | undefined {
    return this.#reader.position ?? this.#position;
  }

  /** Takes what has arrived. @throws ParleyError when it makes no sense, is too long, or items are missing. */
  read(chunk: Uint8Array): void {
    this.#reader.read(chunk);
  }

  /** The bytes go on in another answer; what was left of an event is forgotten. */
  restart(): void {
    this.#position = this.position;
    this.#reader = this.#newReader();
  }

  #newReader(): EventReader {
    const { wire, maxLineBytes, address } = this.#init;
    return wire.reader(maxLineBytes, (text) => {
      if (!this.#over) {
        this.#receive(
          understood(address, () => decode(text)),
          text.length,
        );
      }
    });
  }

  #receive(message: Envelope, chars: number): void {
    switch (message.kind) {
      case "reply":
        return this.#init.replied(message);
      case undefined:
      case "item":
        this.#checkSeq(message);
        this.#init.begun();
        return message.count === undefined ? this.#push(message, chars) : this.#pushAll(message, chars);
      case "end":
        this.#checkSeq(message);
        this.#init.begun();
        this.#end(undefined);
        return this.items.queue.end();
      case "error": {
        const error = readError(message.data);
        this.#end(error);
        return this.items.queue.fail(error);
      }
      default:
        throw new ParleyError("internal", `${this.#init.address} sent a message of kind ${message.kind} in a stream`);
    }
  }

  #push(item: Envelope, chars: number): void {
    this.#seq = seqAfter(this.#seq);
    this.items.push(item, chars);
  }

  /** Of several items in one event, the last counts for it. */
  #pushAll(several: Envelope, chars: number): void {
    const items = itemsOf(several);
    if (!items) {
      const message = `${this.#init.address} sent a message that does not hold the ${several.count} items that it announces`;
      throw new ParleyError("internal", message);
    }
    const last = items.at(-1);
    for (const item of items) this.#push(item, item === last ? chars : 0);
  }

  #end(error: ParleyError | undefined): void {
    this.#over = true;
    this.#init.ended(error);
  }

  #checkSeq({ seq }: Envelope): void {
    const expected = seqAfter(this.#seq);
    if (seq === undefined || seq === expected) return;
    throw new ParleyError("data_loss", `items are missing from the stream: expected number ${expected}, got ${seq}`);
  }
}
