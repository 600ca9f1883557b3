import { decode, type Envelope, ParleyError, readError } from "@parley/core/transport";
import { LineReader } from "../wire/line-reader.ts";
import { type ItemSource, PacedItems } from "../wire/paced-items.ts";
import { understood } from "./answer.ts";

/** Positions of items count modulo 2^31. */
const SEQ_MODULUS = 2 ** 31;

/** What a {@link StreamAnswer} is made from. */
export interface StreamAnswerInit {
  /** Where the bytes come from: told when to stop. */
  readonly source: ItemSource;
  readonly maxLineBytes: number;
  /** Where the peer is, for messages. */
  readonly address: string;
  /** The peer has said that there is no more, or why. Called once, before the reader learns of it. */
  readonly ended: () => void;
}

/** The answer of a stream: events in lines. Items go to the reader, until an end or an error. */
export class StreamAnswer {
  readonly items: PacedItems;
  readonly #init: StreamAnswerInit;
  readonly #lines: LineReader;
  #seq = 0;
  #over = false;

  constructor(init: StreamAnswerInit) {
    this.#init = init;
    this.#lines = new LineReader(init.maxLineBytes);
    this.items = new PacedItems(init.source);
  }

  /** Takes what has arrived. @throws ParleyError when it makes no sense, is too long, or items are missing. */
  read(chunk: Buffer): void {
    const { address } = this.#init;
    this.#lines.read(chunk, (line) => {
      if (!this.#over) {
        this.#receive(
          understood(address, () => decode(line)),
          line.length,
        );
      }
    });
  }

  #receive(message: Envelope, chars: number): void {
    switch (message.kind) {
      // Accepts the stream, which its head has done already.
      case "reply":
        return;
      case undefined:
      case "item":
        this.#checkSeq(message);
        this.#seq = (this.#seq + 1) % SEQ_MODULUS;
        return this.items.push(message, chars);
      case "end":
        this.#checkSeq(message);
        this.#end();
        return this.items.queue.end();
      case "error":
        this.#end();
        return this.items.queue.fail(readError(message.data));
      default:
        throw new ParleyError("internal", `${this.#init.address} sent a message of kind ${message.kind} in a stream`);
    }
  }

  #end(): void {
    this.#over = true;
    this.#init.ended();
  }

  #checkSeq({ seq }: Envelope): void {
    const expected = (this.#seq + 1) % SEQ_MODULUS;
    if (seq === undefined || seq === expected) return;
    throw new ParleyError("data_loss", `items are missing from the stream: expected number ${expected}, got ${seq}`);
  }
}
