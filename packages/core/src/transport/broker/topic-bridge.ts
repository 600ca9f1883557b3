import { createCall, type OwnedCall } from "../../call/call.ts";
import { ParleyError, toParleyError } from "../../call/error.ts";
import type { Handler, Reply } from "../../call/interceptor.ts";
import { leave } from "../../call/leave.ts";
import type { Log } from "../../call/log.ts";
import { ownCall } from "../../call/own-call.ts";
import { createEnvelope } from "../../envelope/create.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Exchange } from "./exchange.ts";
import { withAttributes } from "./message-frame.ts";
import { Repetitions } from "./repetitions.ts";

/** Operation of the subscription by which a listener gets what its agent publishes. */
export const BRIDGE = "parley.bridge.v1";

/** Publications that the broker has yet to acknowledge. */
const MAX_UNCONFIRMED = 64;

/** A relay may have to ask somebody who does not answer. */
const START_MS = 1_000;

/** What a bridge is made from. */
export interface TopicBridgeInit {
  readonly handler: Handler;
  readonly exchange: Exchange;
  readonly source: string;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
}

/**
 * Carries what an agent publishes in its own process to the broker's topics, never the other way round. A handler without topics answers
 * `unimplemented` and needs none. What it published while the link was down is not carried.
 */
export class TopicBridge {
  readonly #init: TopicBridgeInit;
  readonly #repetitions = new Repetitions();
  #call: OwnedCall | undefined;
  #stopped = false;

  constructor(init: TopicBridgeInit) {
    this.#init = init;
  }

  /** Resolves when what is published next is carried, or there is nothing to carry; or when the handler takes its time to say so. */
  async start(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancelTimer = this.#init.runtime.setTimer(late.resolve, START_MS);
    await Promise.race([this.#subscribe(), late.promise]);
    cancelTimer();
  }

  async #subscribe(): Promise<void> {
    const { source, runtime, handler } = this.#init;
    const message = createEnvelope({ kind: "subscribe", type: BRIDGE, source, subject: "#" }, runtime);
    this.#call = createCall({ kind: "subscribe", message }, runtime);
    this.#call.context.set(ownCall, true);
    try {
      const { output } = await handler(this.#call);
      if (output && this.#stopped) leave(output[Symbol.asyncIterator]());
      else if (output) this.#carry(output, this.#call).catch((thrown: unknown) => this.#failed(thrown));
    } catch (thrown) {
      const error = toParleyError(thrown);
      this.#call.settle();
      if (error.code !== "unimplemented") this.#report(error);
    }
  }

  /** Carries nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#call?.abort(new ParleyError("cancelled", "the listener carries no publications any more"));
  }

  async #carry(output: NonNullable<Reply["output"]>, call: OwnedCall): Promise<void> {
    const unconfirmed = new Set<Promise<void>>();
    for await (const item of output) {
      if (this.#stopped) break;
      // A relay may get from the broker what it has just brought there.
      if (this.#repetitions.seen(`${item.source} ${item.id}`)) continue;
      const sent = this.#publish(item).finally(() => unconfirmed.delete(sent));
      unconfirmed.add(sent);
      if (unconfirmed.size >= MAX_UNCONFIRMED) await Promise.race(unconfirmed);
    }
    call.settle();
  }

  async #publish(item: Envelope): Promise<void> {
    const { exchange, runtime } = this.#init;
    // Behind a relay it was an item of a stream.
    const message = withAttributes(item, { kind: "publish", seq: undefined, inreplyto: undefined });
    const call = createCall({ kind: "publish", message }, runtime);
    try {
      await exchange.publish(call);
    } catch (thrown) {
      if (!this.#stopped) this.#report(toParleyError(thrown));
    } finally {
      call.settle();
    }
  }

  /** The agent's subscription has ended, as when more was published than the broker took. */
  #failed(thrown: unknown): void {
    this.#call?.settle();
    if (this.#stopped) return;
    const error = toParleyError(thrown);
    this.#report(error);
    if (error.code === "data_loss") void this.start();
  }

  #report(error: ParleyError): void {
    this.#init.log?.({
      level: "warn",
      event: "publications-not-carried",
      message: `publications of the agent did not reach the broker: ${error.message}`,
      error,
    });
  }
}
