import type { Readable, Writable } from "node:stream";
import type { ChannelEvents, Log, OpenChannel, Runtime } from "@parley/core/transport";
import { FrameReader } from "./frame-reader.ts";
import { frameWriter } from "./frame-writer.ts";

/** Time that a peer has to take the last frames when the connection failed. */
const FLUSH_MS = 1_000;

/** What {@link streamChannel} is made from. */
export interface StreamChannelInit {
  readonly input: Readable;
  readonly output: Writable;
  readonly maxMessageBytes: number;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  /** The peer will send nothing more, though it may still read. */
  inputEnded(): void;
}

/** Ties a pair of streams to calls, at the side that was started. */
export function streamChannel(init: StreamChannelInit): OpenChannel {
  const { input, output, runtime, log } = init;
  return (events) => {
    const greeting = new Greeting(events, input, runtime);
    const reader = new FrameReader(greeting, { maxMessageBytes: init.maxMessageBytes, peer: "the peer", log });
    const write = frameWriter(output, () => events.drain());
    let done = false;
    let cancelTimer = (): void => {};

    const finish = (cause?: unknown): void => {
      if (done) return;
      done = true;
      cancelTimer();
      input.off("data", receive).off("end", ended).off("error", finish).off("close", ended).pause();
      if (!output.writableEnded) output.end();
      events.closed(cause);
    };
    const receive = (chunk: Buffer | string): void => {
      reader.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    };
    let over = false;
    const ended = (): void => {
      if (over) return;
      over = true;
      reader.end();
      greeting.whenDone(() => {
        if (greeting.seen) init.inputEnded();
        else finish();
      });
    };
    input.on("error", finish);
    input.on("data", receive).on("end", ended).on("close", ended);
    // Both stay for good: a stream without a listener for its errors would end the process, and what was written may fail later.
    output.on("error", finish);
    input.on("error", () => {});
    return {
      write(frames) {
        greeting.answered();
        return write(frames);
      },
      close(reason) {
        if (!output.writableEnded) output.end(() => finish());
        if (!reason) return;
        cancelTimer();
        cancelTimer = runtime.setTimer(finish, FLUSH_MS);
      },
    };
  };
}

/** Holds back what follows the first frame until that is answered, so that a peer may write all it has to say at once. */
class Greeting implements Pick<ChannelEvents, "frame" | "refused"> {
  readonly #events: ChannelEvents;
  readonly #input: Readable;
  readonly #runtime: Runtime;
  #held: string[] = [];
  #state: "before" | "waiting" | "done" = "before";
  #onDone: (() => void) | undefined;

  constructor(events: ChannelEvents, input: Readable, runtime: Runtime) {
    this.#events = events;
    this.#input = input;
    this.#runtime = runtime;
  }

  /** Whether the peer has said anything. */
  get seen(): boolean {
    return this.#state !== "before";
  }

  frame(text: string): void {
    if (this.#state === "done") return this.#events.frame(text);
    if (this.#state === "waiting") {
      this.#held.push(text);
      return;
    }
    this.#state = "waiting";
    // So that no more is held than one chunk.
    this.#input.pause();
    this.#events.frame(text);
  }

  refused(): void {
    this.#events.refused();
  }

  /** The first frame has been answered. */
  answered(): void {
    if (this.#state !== "waiting") return;
    this.#runtime.defer(() => {
      this.#state = "done";
      for (const text of this.#held) this.#events.frame(text);
      this.#held = [];
      this.#onDone?.();
      this.#input.resume();
    });
  }

  /** Runs at once, unless frames are held. */
  whenDone(run: () => void): void {
    if (this.#state === "waiting") this.#onDone = run;
    else run();
  }
}
