import { type Envelope, encode, end, type ParleyError, toParleyError } from "../../transport/index.ts";
import { type LineSink, LineWriter } from "../wire/line-writer.ts";
import { mediaTypes } from "../wire/media-type.ts";
import { readAnswer } from "./answer.ts";
import type { Link } from "./link.ts";
import { post } from "./post.ts";
import { checkSize } from "./size.ts";
import type { HttpRequest } from "./socket.ts";
import type { UploadBody } from "./upload-body.ts";

/** Events in one request; what a peer takes. */
const MAX_EVENTS = 256;

/** Characters in one request, unless a single event has more. */
const MAX_CHARS = 256 * 1024;

/** Characters that wait for the last request to be answered before items are read no further. */
const HIGH_WATER_CHARS = 64 * 1024;

/** How often a request that was cut is made again; the peer drops what it has taken already. */
const ATTEMPTS = 3;

/**
 * Sends what the caller of an open call has to say after its opener: items as they become ready, then an explicit end. One request is under
 * way at a time, and the next carries all that has piled up meanwhile, so that order, batches and pace come by themselves.
 */
export class Uplink implements UploadBody, LineSink {
  readonly #link: Link;
  readonly #opener: Envelope;
  readonly #failed: (error: ParleyError) => void;
  readonly #writer: LineWriter;
  #queue: string[] = [];
  #chars = 0;
  #sending = false;
  #stopped = false;

  /** @param failed the items threw, or the peer does not take them. */
  constructor(link: Link, opener: Envelope, input: AsyncIterable<Envelope>, failed: (error: ParleyError) => void) {
    this.#link = link;
    this.#opener = opener;
    this.#failed = failed;
    const inreplyto = opener.id;
    const lineOf = (item: Envelope, seq: number): string => {
      const line = encode(item, { seq, inreplyto });
      checkSize(line, link, "unknown");
      return line;
    };
    this.#writer = new LineWriter(input, { runtime: link.runtime, sink: this, lineOf });
    this.#writer.run().then(
      (complete) => {
        if (!complete) return;
        this.write(this.#writer.takeRest());
        this.write(`${encode(end(opener, opener.source), { seq: this.#writer.nextSeq, inreplyto })}\n`);
      },
      (thrown: unknown) => this.#fail(thrown),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#writer.stop();
  }

  write(text: string): boolean {
    if (this.#stopped) return false;
    for (const line of text.split("\n")) if (line !== "") this.#queue.push(line);
    this.#chars += text.length;
    if (!this.#sending) this.#send();
    return this.#chars < HIGH_WATER_CHARS;
  }

  async #send(): Promise<void> {
    this.#sending = true;
    try {
      while (this.#queue.length > 0) {
        const lines = this.#next();
        await postEvents(this.#link, this.#opener.type, lines);
        if (this.#chars < HIGH_WATER_CHARS) this.#writer.drained();
      }
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#sending = false;
    }
  }

  #next(): readonly string[] {
    let chars = 0;
    let count = 0;
    for (const line of this.#queue) {
      chars += line.length + 1;
      if (count === MAX_EVENTS || (count > 0 && chars > this.#maxChars)) break;
      count++;
    }
    const lines = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    for (const line of lines) this.#chars -= line.length + 1;
    return lines;
  }

  /** Characters of a whole request that the peer takes, whatever bytes they become. */
  get #maxChars(): number {
    const { maxMessageBytes } = this.#link.peerLimits ?? this.#link.limits;
    return Math.min(MAX_CHARS, maxMessageBytes / 3);
  }

  #fail(thrown: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#failed(toParleyError(thrown));
  }
}

/**
 * Sends events that follow an open call.
 * @throws ParleyError what the peer says against it; `unavailable` when it is not reached.
 */
export async function postEvents(link: Link, type: string, events: readonly string[]): Promise<void> {
  const { base, headers, address, wire } = link;
  const request: HttpRequest = {
    path: `${base}/${encodeURIComponent(type)}`,
    method: "POST",
    headers: ["content-type", mediaTypes.batch, ...wire.accept, ...headers],
    body: `[${events.join(",")}]`,
  };
  for (let attempt = 1; ; attempt++) {
    try {
      readAnswer(await post(link, request), address);
      return;
    } catch (thrown) {
      const error = toParleyError(thrown);
      if (attempt === ATTEMPTS || error.code !== "unavailable" || link.closing) throw error;
    }
  }
}
