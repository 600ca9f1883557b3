import type { IncomingMessage } from "node:http";
import { type Runtime, TransportError } from "../../transport/index.ts";
import { Patrol } from "../wire/patrol.ts";
import { Roster } from "../wire/roster.ts";
import { type Refusal, tooLarge } from "./refusal.ts";

/** Who waits for a body. */
export interface BodyReader {
  /** All of it is there. */
  complete(body: Buffer): void;
  /** It is too long, or did not come in time. */
  refused(refusal: Refusal): void;
  /** The caller has left before it was complete. */
  lost(): void;
}

/** A body is given up between its time and a quarter more. */
const LOOKS = 4;

const EMPTY = Buffer.alloc(0);

/** Reads whole bodies within bounds of length and time. */
export class Bodies {
  readonly #runtime: Runtime;
  readonly #maxBytes: number;
  readonly #timeoutMs: number;
  readonly #arriving = new Roster<Body>();
  readonly #patrol: Patrol;

  constructor(runtime: Runtime, maxBytes: number, timeoutMs: number) {
    this.#runtime = runtime;
    this.#maxBytes = maxBytes;
    this.#timeoutMs = timeoutMs;
    this.#patrol = new Patrol(runtime, timeoutMs / LOOKS, {
      look: () => this.#look(),
      needed: () => this.#arriving.size > 0,
    });
  }

  /** Reads a body, looking at its announced length first. Tells `reader` once. */
  read(request: IncomingMessage, reader: BodyReader): void {
    const announced = request.headers["content-length"];
    if (announced !== undefined && Number(announced) > this.#maxBytes) {
      return reader.refused(tooLarge(announced, this.#maxBytes));
    }
    const body = new Body(reader, this.#maxBytes, this.#runtime.now() + this.#timeoutMs, this.#arriving);
    this.#arriving.add(body);
    // Most bodies come with their heads.
    this.#patrol.decide();
    request.on("data", (chunk: Buffer) => body.data(chunk));
    request.on("end", () => {
      body.end();
      this.#settled();
    });
    request.on("close", () => {
      body.closed();
      this.#settled();
    });
  }

  /** Nothing is left behind; bodies that are still arriving are not looked after any more. */
  stop(): void {
    this.#patrol.stop();
  }

  #settled(): void {
    if (this.#patrol.on && this.#arriving.size === 0) this.#patrol.decide();
  }

  #look(): boolean {
    const now = this.#runtime.now();
    for (const body of this.#arriving) if (body.deadline <= now) body.late();
    return this.#arriving.size > 0;
  }
}

class Body {
  place = -1;
  readonly deadline: number;
  readonly #reader: BodyReader;
  readonly #maxBytes: number;
  readonly #arriving: Roster<Body>;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;

  constructor(reader: BodyReader, maxBytes: number, deadline: number, arriving: Roster<Body>) {
    this.deadline = deadline;
    this.#reader = reader;
    this.#maxBytes = maxBytes;
    this.#arriving = arriving;
  }

  data(chunk: Buffer): void {
    if (this.#over) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) return this.#refuse(tooLarge(`${this.#bytes} or more`, this.#maxBytes));
    this.#chunks.push(chunk);
  }

  end(): void {
    if (this.#over) return;
    this.#settle();
    const [first = EMPTY] = this.#chunks;
    this.#reader.complete(this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first);
  }

  closed(): void {
    if (this.#over) return;
    this.#settle();
    this.#reader.lost();
  }

  late(): void {
    const error = new TransportError("deadline_exceeded", "the body of the request did not arrive in time", {
      outcome: "not-sent",
    });
    this.#refuse({ status: 408, error });
  }

  #refuse(refusal: Refusal): void {
    if (this.#over) return;
    this.#settle();
    this.#chunks = [];
    this.#reader.refused(refusal);
  }

  #settle(): void {
    this.#over = true;
    this.#arriving.delete(this);
  }
}
