import { type Call, createCall } from "../../call/call.ts";
import type { Code } from "../../call/code.ts";
import type { Peer } from "../../call/context.ts";
import { errorFor, ParleyError, TransportError, toParleyError } from "../../call/error.ts";
import { errorEvent, readError } from "../../call/error-event.ts";
import type { Handler, Reply } from "../../call/interceptor.ts";
import { createEnvelope } from "../../envelope/create.ts";
import { decode } from "../../envelope/decode.ts";
import { encode } from "../../envelope/encode.ts";
import { callKinds, type Envelope } from "../../envelope/envelope.ts";
import { reply } from "../../envelope/follow.ts";
import { newId } from "../../envelope/id.ts";
import { utf8Length } from "../../envelope/utf8.ts";
import type { CancelTimer, Runtime } from "../../runtime/runtime.ts";
import { answerHello, HELLO, type Hello, type Hop, helloData, peerHop, readHello, silentHop } from "../hello.ts";
import type { CloseOptions, Connection, ConnectionState, ConnectionStats } from "../transport.ts";
import { CallTable } from "./call-table.ts";
import type { Channel, OpenChannel } from "./channel.ts";
import { Heartbeat, type HeartbeatOwner } from "./heartbeat.ts";
import type { Link } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { withOutcome } from "./time-left.ts";

/** Operation that core answers itself on every connection: a sign of life. */
export const PING = "parley.ping.v1";

/** Type of an event that speaks of the connection and not of one call: its `error` says why the connection ends. */
const CONNECTION = "parley.connection.v1";

/** What a connection over a channel is made from. */
export interface ChannelConnectionInit {
  /** Whether this side dialled: it then opens calls of odd number, and says hello first. */
  readonly dialled: boolean;
  readonly peer: Omit<Peer, "invoke">;
  readonly handler: Handler | undefined;
  readonly hop: Hop;
  /** Source of the events that the connection itself writes. */
  readonly source: string;
  /** Frames that may wait for a peer who takes none, UTF-16 code units; at the bound the connection ends. */
  readonly maxQueuedChars: number;
  /** Time for the handshake. */
  readonly helloTimeoutMs: number;
  readonly runtime: Runtime;
  readonly log: Link["log"];
}

type Phase = "greeting" | ConnectionState;

const openers: ReadonlySet<unknown> = new Set(callKinds);

/**
 * All calls over one channel: a synchronous state machine, driven by frames, timers and calls; promises only where users are. Made by
 * `dialChannel` and `acceptChannel`.
 */
export class ChannelConnection implements Connection, HeartbeatOwner {
  readonly #init: ChannelConnectionInit;
  readonly #channel: Channel;
  readonly #link: Link & { peerHop: Hop };
  readonly #outbox: Outbox;
  readonly #calls: CallTable;
  readonly #peer: Peer;
  readonly #closed: PromiseWithResolvers<ParleyError | undefined> = Promise.withResolvers();
  readonly #greeted: PromiseWithResolvers<void> = Promise.withResolvers();
  #heartbeat: Heartbeat;
  #phase: Phase = "greeting";
  #hello: Hello | undefined;
  #helloSeen = false;
  #refusedMessages = 0;
  #cancelTimer: CancelTimer | undefined;
  /** Why the connection ends: what this side found, or what the peer told. */
  #reason: ParleyError | undefined;

  constructor(open: OpenChannel, init: ChannelConnectionInit) {
    const { runtime, hop, log, source } = init;
    this.#init = init;
    this.#peer = { ...init.peer, invoke: this.call };
    this.#channel = open({
      frame: (text) => this.#frame(text),
      drain: () => this.#outbox.drained(),
      closed: (cause) => this.#ended(cause),
    });
    this.#outbox = new Outbox(this.#channel, runtime, init.maxQueuedChars, () =>
      this.#breach(
        "resource_exhausted",
        `the peer reads too slowly: over ${init.maxQueuedChars} characters wait for it`,
      ),
    );
    this.#link = {
      runtime,
      outbox: this.#outbox,
      log,
      source,
      hop,
      peerHop: silentHop,
      checkSize: (frame) => this.#checkSize(frame),
      release: (number) => this.#release(number),
    };
    this.#calls = new CallTable(this.#link, init.dialled);
    this.#heartbeat = new Heartbeat(runtime, hop.heartbeatMs, this);
    this.#cancelTimer = runtime.setTimer(
      () => this.#breach("deadline_exceeded", `the peer said no hello within ${init.helloTimeoutMs} ms; is it Parley?`),
      init.helloTimeoutMs,
    );
    // Who does not wait for the handshake hears of its failure through `closed`.
    this.#greeted.promise.catch(() => {});
    if (init.dialled) this.#sayHello().catch((thrown: unknown) => this.#end(toParleyError(thrown)));
  }

  /** Resolves when the handshake is done. Rejects with the reason when the connection ended before. */
  get greeted(): Promise<void> {
    return this.#greeted.promise;
  }

  get hello(): Hello {
    if (!this.#hello) throw new ParleyError("failed_precondition", "the handshake is not done yet");
    return this.#hello;
  }

  get state(): ConnectionState {
    return this.#phase === "greeting" ? "open" : this.#phase;
  }

  get closed(): Promise<ParleyError | undefined> {
    return this.#closed.promise;
  }

  readonly call = (call: Call): Promise<Reply> => {
    if (this.#phase === "open" && !this.#reason) {
      // A relay asks who is behind it: known, and a second hello would break the peer's rules.
      if (call.message.type === HELLO && call.kind === "request") return this.#describePeer(call);
      return this.#calls.open(call);
    }
    const why =
      this.#phase === "draining" ? "is closing" : this.#phase === "greeting" ? "is not open yet" : "has ended";
    return Promise.reject(
      new TransportError("unavailable", `the connection ${why}`, { outcome: "not-sent", cause: this.#reason }),
    );
  };

  stats(): ConnectionStats {
    return { openCalls: this.#calls.size, lateMessages: this.#calls.late, refusedMessages: this.#refusedMessages };
  }

  async ping(): Promise<{ readonly roundTripMs: number }> {
    const { runtime } = this.#init;
    const start = runtime.now();
    await this.#request(PING);
    return { roundTripMs: runtime.now() - start };
  }

  async close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    if (this.#phase === "greeting")
      this.#end(new TransportError("unavailable", "the connection was closed during its handshake"));
    else if (this.#phase === "open") this.#drain(graceMs);
    await this.#closed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Asks for a sign of life. */
  probe(): void {
    if (this.#phase !== "greeting") this.ping().catch(() => {});
  }

  /** Gives the peer up. */
  silent(silentMs: number): void {
    this.#breach("unavailable", `the peer has been silent for ${Math.round(silentMs)} ms`);
  }

  async #request(type: string, data?: unknown): Promise<Envelope> {
    const { runtime, source } = this.#init;
    const message = createEnvelope({ kind: "request", type, source, data }, runtime);
    const { message: answer } = await this.#calls.open(createCall({ kind: "request", message }, runtime));
    return answer as Envelope;
  }

  async #sayHello(): Promise<void> {
    const answer = await this.#request(HELLO, helloData(this.#init.hop));
    this.#meet(readHello(answer.data));
  }

  async #answerHello(call: Call): Promise<Reply> {
    try {
      const hello = readHello(call.message.data);
      const message = await answerHello(call, this.#init.handler, this.#init.hop, this.#init.source);
      // The side that dialled learns from its own hello whom it talks to.
      if (!this.#init.dialled) this.#meet(hello);
      return { message };
    } catch (thrown) {
      // The answer leaves first.
      this.#init.runtime.defer(() => this.#end(toParleyError(thrown)));
      throw thrown;
    }
  }

  async #describePeer({ message }: Call): Promise<Reply> {
    return { message: reply(message, this.#init.source, this.#hello) };
  }

  #meet(hello: Hello): void {
    if (this.#phase !== "greeting") return;
    const { runtime, hop } = this.#init;
    this.#cancelTimer?.();
    this.#hello = hello;
    this.#link.peerHop = peerHop(hello);
    this.#heartbeat.stop();
    this.#heartbeat = new Heartbeat(runtime, Math.min(hop.heartbeatMs, this.#link.peerHop.heartbeatMs), this);
    this.#phase = "open";
    this.#greeted.resolve();
  }

  #frame(text: string): void {
    // Once its end is decided nothing more is dispatched, though frames still arrive.
    if (this.#phase === "closed" || this.#reason) return;
    this.#heartbeat.heard();
    const { maxMessageBytes } = this.#init.hop.limits;
    if (text.length > maxMessageBytes) {
      return this.#breach(
        "resource_exhausted",
        `a message of ${text.length} characters is over the limit of ${maxMessageBytes} bytes`,
      );
    }
    let message: Envelope;
    try {
      message = decode(text);
    } catch (thrown) {
      this.#refusedMessages++;
      return this.#end(toParleyError(thrown));
    }
    this.#receive(message, text);
  }

  #receive(message: Envelope, frame: string): void {
    const { kind, call: number, type } = message;
    if (number === undefined) {
      if (kind !== "error" || type !== CONNECTION)
        return this.#breach("invalid_argument", `a message of kind ${kind} has no call number`);
      this.#hangUpFor(readError(message.data));
    } else if (openers.has(kind)) this.#opened(message, number);
    else this.#calls.receive(message, number, frame);
  }

  #opened(message: Envelope, number: number): void {
    const { kind, type } = message;
    const hello = type === HELLO && kind === "request";
    if (this.#phase === "greeting" && !hello) {
      return this.#breach(
        "invalid_argument",
        `the first message must be a request of ${HELLO}, and is a ${kind} of ${type}`,
      );
    }
    if (hello && this.#helloSeen) return this.#breach("invalid_argument", "the peer said hello twice");
    const refusal = hello ? undefined : this.#refusal();
    const call = this.#calls.accept(message, number, this.#peer);
    if (!call)
      return this.#breach("invalid_argument", `call number ${number} is used again, or is not the peer's to use`);
    if (hello) {
      this.#helloSeen = true;
      call.run((asked) => this.#answerHello(asked));
    } else if (type === PING && kind === "request") call.run(() => ({ message: reply(message, this.#init.source) }));
    else if (refusal) call.refuse(refusal);
    else call.run(this.#init.handler as Handler);
  }

  /** Why no call can be taken now; nothing has seen it. */
  #refusal(): ParleyError | undefined {
    const { handler, hop } = this.#init;
    const { maxCalls } = hop.limits;
    if (!handler)
      return new ParleyError("unimplemented", "this side of the connection answers no calls", { outcome: "not-sent" });
    if (this.#phase === "draining")
      return new TransportError("unavailable", "this side is closing", { outcome: "not-sent" });
    if (this.#calls.incoming < maxCalls) return undefined;
    return new TransportError(
      "resource_exhausted",
      `at most ${maxCalls} calls are answered at a time on one connection`,
      {
        outcome: "not-sent",
      },
    );
  }

  #release(number: number): void {
    this.#calls.release(number);
    if (this.#phase === "draining" && this.#calls.size === 0) this.#hangUp();
  }

  #checkSize(frame: string): void {
    const { maxMessageBytes } = this.#link.peerHop.limits;
    // No character takes more than three bytes.
    if (frame.length * 3 <= maxMessageBytes) return;
    const bytes = utf8Length(frame);
    if (bytes <= maxMessageBytes) return;
    throw new TransportError(
      "resource_exhausted",
      `the message takes ${bytes} bytes, and the peer takes at most ${maxMessageBytes}; send it in parts (a stream)`,
      {
        outcome: "not-sent",
      },
    );
  }

  #drain(graceMs: number): void {
    this.#phase = "draining";
    const error = new TransportError("unavailable", "the connection was closed", { outcome: "unknown" });
    this.#cancelTimer = this.#init.runtime.setTimer(() => this.#end(error), graceMs);
    this.#calls.endSubscriptions(error);
    if (this.#calls.size === 0) this.#hangUp();
  }

  /** All calls are over: what was written leaves, then the channel ends. */
  #hangUp(): void {
    this.#outbox.whenWritable(() => {
      this.#outbox.flush();
      this.#channel.close();
    });
  }

  /** The peer broke a rule, or is gone. */
  #breach(code: Code, message: string): void {
    this.#end(errorFor(code, message, { outcome: "unknown" }));
  }

  /** Ends the connection for a reason, which the peer is told. */
  #end(error: ParleyError): void {
    if (this.#phase === "closed" || this.#reason) return;
    // First of all: a queue that is full would end the connection again.
    this.#reason = error;
    const { runtime, source } = this.#init;
    const told = errorEvent({ id: newId(runtime), type: CONNECTION }, source, error);
    this.#outbox.push(encode(told));
    this.#outbox.flush();
    this.#hangUpFor(error);
  }

  /** Ends the connection for a reason that the peer knows; every call under way learns of it at once. */
  #hangUpFor(error: ParleyError): void {
    this.#reason = error;
    this.#init.log?.({ level: "warn", event: "connection-ended", message: error.message, error });
    this.#channel.close(error);
    this.#settle(error);
  }

  /** The channel has ended. */
  #ended(cause: unknown): void {
    if (this.#phase === "closed") return;
    const orderly = this.#phase === "draining" && !this.#reason;
    this.#reason ??= cause === undefined ? undefined : lostConnection(cause);
    this.#settle(
      this.#reason ?? new TransportError("unavailable", "the peer closed the connection", { outcome: "unknown" }),
    );
    this.#phase = "closed";
    this.#outbox.close();
    this.#heartbeat.stop();
    this.#cancelTimer?.();
    this.#closed.resolve(orderly ? undefined : this.#reason);
  }

  /** Every call under way ends with the connection. */
  #settle(error: ParleyError): void {
    // Nothing was asked of a peer that was never greeted.
    if (this.#phase === "greeting") this.#greeted.reject(withOutcome(error, "not-sent"));
    const lost =
      error.code === "unavailable"
        ? error
        : new TransportError("unavailable", `the connection ended: ${error.message}`, {
            outcome: "unknown",
            cause: error,
          });
    this.#calls.lose(lost);
  }
}

function lostConnection(cause: unknown): ParleyError {
  if (cause instanceof ParleyError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new TransportError("unavailable", `the connection was lost: ${text}`, { outcome: "unknown", cause });
}
