import { joinBytes } from "../wire/bytes.ts";
import type { Answer } from "./answer.ts";
import type { Link } from "./link.ts";
import { checkAnswerSize } from "./size.ts";
import type { AnswerHeaders } from "./socket.ts";

/** An answer that is read to its end before anything is made of it. */
export class GatheredAnswer {
  readonly #link: Link;
  #status = 0;
  #headers: AnswerHeaders = {};
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** 0 until its head has come. */
  get status(): number {
    return this.#status;
  }

  /** Its head. */
  begin(status: number, headers: AnswerHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  /** More of its body. @throws TransportError `resource_exhausted` */
  take(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    checkAnswerSize(this.#bytes, this.#link);
    this.#chunks.push(chunk);
  }

  /** All of it. */
  end(): Answer {
    return { status: this.#status, headers: this.#headers, body: joinBytes(this.#chunks) };
  }
}
