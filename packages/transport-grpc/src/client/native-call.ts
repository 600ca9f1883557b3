import {
  type CallOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type Metadata,
  type ServiceError,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import {
  type AbortListener,
  type Call,
  type DeadlineListener,
  type Envelope,
  type ItemSource,
  PacedItems,
  ParleyError,
  type Reply,
  TransportError,
  timeLeft,
  toParleyError,
  type WatchedDeadline,
  withOutcome,
} from "@parley/core/transport";
import { ItemPump } from "../wire/item-pump.ts";
import { asBytes } from "../wire/methods.ts";
import type { PendingCall } from "./call-set.ts";
import { whenLeaving } from "./leaving.ts";
import type { Link, Settle } from "./link.ts";
import type { WireMethod } from "./wire-method.ts";

const NOTHING: Reply = {};

/** A call that this side makes as a gRPC call of its own. Opened → accepted (streams) → over. */
export class NativeCall implements AbortListener, DeadlineListener, ItemSource, PendingCall {
  readonly #link: Link;
  readonly #call: Call;
  readonly #method: WireMethod;
  readonly #settle: Settle;
  #cancel: () => void = () => {};
  #readable: ClientReadableStream<Buffer> | undefined;
  #output: PacedItems | undefined;
  #input: ItemPump | undefined;
  #status: StatusObject | undefined;
  #connecting: WatchedDeadline | undefined;
  /** The peer may have seen some of it. */
  #sent = false;
  #items = 0;
  #over = false;

  constructor(link: Link, call: Call, method: WireMethod, settle: Settle) {
    this.#link = link;
    this.#call = call;
    this.#method = method;
    this.#settle = settle;
  }

  /** @throws ParleyError when nothing was sent */
  start(): void {
    const { runtime, line, calls } = this.#link;
    const { kind, input } = this.#call;
    const { path, metadata, opener, connectTimeoutMs } = this.#method;
    if (opener) checkSize(opener, this.#link);
    const left = timeLeft(this.#call, runtime);
    calls.began(this);
    if (connectTimeoutMs !== undefined && line.state !== "open")
      this.#connecting = runtime.deadlines.add(runtime.now() + connectTimeoutMs, this);
    const options: CallOptions = {
      credentials: whenLeaving(() => this.#leaving()),
      // By the clock that gRPC goes by, which is the process's own.
      ...(left === undefined ? {} : { deadline: Date.now() + left }),
    };
    const answered = (error: ServiceError | null, bytes?: Buffer): void => this.#answered(error, bytes);
    const { client } = line;
    switch (kind) {
      case "request":
      case "notify":
      case "publish":
        this.#watch(client.makeUnaryRequest(path, asBytes, asBytes, opener as Buffer, metadata, options, answered));
        break;
      case "client-stream": {
        const stream = client.makeClientStreamRequest(path, asBytes, asBytes, metadata, options, answered);
        this.#watch(stream);
        this.#send(stream, opener, input as AsyncIterable<Envelope>);
        break;
      }
      case "server-stream":
      case "subscribe":
        this.#read(client.makeServerStreamRequest(path, asBytes, asBytes, opener as Buffer, metadata, options));
        break;
      case "bidi-stream": {
        const stream = client.makeBidiStreamRequest(path, asBytes, asBytes, metadata, options);
        this.#read(stream);
        this.#send(stream, opener, input as AsyncIterable<Envelope>);
      }
    }
    this.#call.onAbort(this);
  }

  callAborted(reason: ParleyError): void {
    this.#giveUp(reason);
  }

  /** There is no connection yet. */
  onDeadline(): void {
    const { address } = this.#link;
    const message = `${address} did not become reachable within ${this.#method.connectTimeoutMs} ms`;
    this.lost(new TransportError("unavailable", message, { outcome: "not-sent" }));
  }

  lost(error: ParleyError): void {
    this.#fail(error);
    this.#cancel();
  }

  pause(): void {
    this.#readable?.pause();
  }

  resume(): void {
    this.#readable?.resume();
  }

  abandoned(): void {
    if (this.#over) return;
    this.#finish();
    this.#cancel();
  }

  #leaving(): void {
    this.#sent = true;
    this.#connected();
    this.#method.leaving?.();
  }

  #connected(): void {
    if (this.#connecting) this.#link.runtime.deadlines.remove(this.#connecting);
  }

  /** What all shapes of calls have in common. */
  #watch(call: Pick<ClientUnaryCall, "cancel" | "on">): void {
    this.#cancel = () => call.cancel();
    const { answering, ended } = this.#method;
    if (answering) call.on("metadata", (metadata: Metadata) => answering(metadata));
    if (ended) call.on("status", (received: StatusObject) => ended(received));
  }

  #send(stream: ClientWritableStream<Buffer>, opener: Buffer | undefined, items: AsyncIterable<Envelope>): void {
    // What goes wrong comes with the status.
    stream.on("error", () => {});
    if (opener) stream.write(opener);
    const encode = (item: Envelope, seq: number): Buffer => {
      const bytes = this.#method.encode(item, seq);
      checkSize(bytes, this.#link);
      return bytes;
    };
    const pump = new ItemPump(items, { sink: stream, encode, runtime: this.#link.runtime });
    this.#input = pump;
    pump.run().then(
      (complete) => {
        if (complete) stream.end();
      },
      (thrown: unknown) => this.#giveUp(withOutcome(toParleyError(thrown), "unknown")),
    );
  }

  #read(stream: ClientReadableStream<Buffer>): void {
    this.#readable = stream;
    this.#watch(stream);
    let ended = false;
    stream.on("metadata", () => this.#accepted());
    stream.on("data", (bytes: Buffer) => this.#attempt(() => this.#item(bytes)));
    stream.on("error", (error: ServiceError) => this.#failedWith(error));
    stream.on("status", (received: StatusObject) => {
      this.#status = received;
      if (ended) this.#ended();
    });
    stream.on("end", () => {
      ended = true;
      if (this.#status) this.#ended();
    });
  }

  #accepted(): PacedItems {
    if (!this.#output) {
      this.#output = new PacedItems(this);
      this.#settle.resolve({ output: this.#output.queue });
    }
    return this.#output;
  }

  #item(bytes: Buffer): void {
    if (this.#over) return;
    const item = this.#method.decode(bytes, ++this.#items);
    this.#accepted().push(item, bytes.length);
  }

  /** All that was sent has been read. */
  #ended(): void {
    if (this.#over || this.#status?.code !== status.OK) return;
    const { queue } = this.#accepted();
    this.#finish();
    queue.end();
  }

  #answered(error: ServiceError | null, bytes: Buffer | undefined): void {
    if (error) return this.#failedWith(error);
    if (this.#over) return;
    const { kind } = this.#call;
    if (kind === "notify" || kind === "publish") {
      this.#finish();
      return this.#settle.resolve(NOTHING);
    }
    this.#attempt(() => {
      const message = this.#method.decode(bytes as Buffer, 1);
      this.#finish();
      this.#settle.resolve({ message });
    });
  }

  #failedWith(error: ServiceError): void {
    if (!this.#over) this.#fail(this.#method.errorOf(error, this.#sent));
  }

  /** Reads what the peer wrote; what cannot be read is its fault, and it may have acted. */
  #attempt(read: () => void): void {
    try {
      read();
    } catch (thrown) {
      const { code, message } = toParleyError(thrown);
      const text = `the answer of ${this.#link.address} cannot be read: ${message}`;
      this.lost(new ParleyError(code === "data_loss" ? code : "internal", text, { outcome: "unknown", cause: thrown }));
    }
  }

  /** The caller wants no more: told first, and what has arrived is dropped. */
  #giveUp(reason: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    if (this.#output) this.#output.queue.abort(reason);
    else this.#settle.reject(this.#sent ? reason : withOutcome(reason, "not-sent"));
    this.#cancel();
  }

  #fail(error: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    if (this.#output) this.#output.queue.fail(error);
    else this.#settle.reject(error);
  }

  #finish(): void {
    this.#over = true;
    this.#connected();
    this.#link.calls.settled(this);
    this.#call.offAbort(this);
    this.#input?.stop();
  }
}

/** @throws ParleyError `resource_exhausted` when that is more than may be sent */
function checkSize({ length }: Buffer, { maxSendBytes, address }: Link): void {
  if (length <= maxSendBytes) return;
  throw new TransportError(
    "resource_exhausted",
    `the message takes ${length} bytes, and at most ${maxSendBytes} go to ${address}; send it in parts (a stream)`,
    { outcome: "not-sent" },
  );
}
