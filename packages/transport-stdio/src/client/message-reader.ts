import { TransportError } from "@parley/core/transport";
import { noiseLog } from "../noise-log.ts";
import { type LineFormat, TextLines } from "../text-lines.ts";
import type { ExchangeInit } from "./exchange.ts";
import type { MessageFormat } from "./message-format.ts";

/**
 * Reads messages from the stdout of a child. Lines that are none are noise: counted, logged, skipped. One that is too long to be read is the
 * child's end, for nobody knows whose it was.
 */
export class MessageReader {
  readonly #lines: TextLines;
  #ended = false;
  #whole = true;

  constructor(
    init: Pick<ExchangeInit, "program" | "maxMessageBytes" | "counts" | "log" | "fail">,
    format: MessageFormat,
    lines: LineFormat,
    /** False: it is noise after all. */
    receive: (message: unknown, bytes: number) => boolean,
  ) {
    const { program, maxMessageBytes, counts, log } = init;
    const tellNoise = noiseLog(log, `${program} writes lines to stdout that are no messages`);
    const noise = (bytes: number): void => {
      counts.refusedMessages++;
      tellNoise(bytes);
    };
    const sink = {
      line: (text: string, damaged: boolean, bytes: number) => {
        if (this.#ended && !this.#whole) return noise(bytes);
        const message = format.decode(text, damaged);
        if (message === undefined || !receive(message, bytes)) noise(bytes);
      },
      tooLong: (start: Buffer) => {
        if (!format.begins(start)) return noise(start.length);
        this.#ended = true;
        const problem = `${program} wrote a line of more than ${maxMessageBytes} bytes, which is maxMessageBytes`;
        init.fail(new TransportError("resource_exhausted", problem, { outcome: "unknown" }));
      },
    };
    this.#lines = new TextLines(maxMessageBytes, sink, lines);
  }

  push(chunk: Buffer): void {
    if (!this.#ended) this.#lines.push(chunk);
  }

  /** The child has ended. A rest without a delimiter is a message if it did so in order, and else was cut with it. */
  end(whole: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#whole = whole;
    this.#lines.end();
  }
}
