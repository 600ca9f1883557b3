import { type AbortListener, type Call, derive } from "../../call/call.ts";
import { ParleyError, toParleyError } from "../../call/error.ts";
import type { Invoke } from "../../call/interceptor.ts";
import { leave } from "../../call/leave.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import type { OnGap } from "./gap.ts";

type Source = AsyncIterator<Envelope>;

/** What a {@link LastingSubscription} tells whoever keeps it. */
export interface SubscriptionKeeper {
  /** Whether a subscription that ends with this error can be made again. */
  survives(error: ParleyError): boolean;
  /** Its connection may still be there, but it was cut: it needs to be made again. */
  broken(subscription: LastingSubscription, cut: ParleyError): void;
  /** It is over. */
  over(subscription: LastingSubscription): void;
}

/** A subscription that is made again after a cut, on the connection that came in place of the one that was lost. */
export class LastingSubscription implements AsyncIterableIterator<Envelope, undefined, undefined>, AbortListener {
  readonly #call: Call;
  readonly #onGap: OnGap;
  readonly #keeper: SubscriptionKeeper;
  /** What is being read, and what will be after it. */
  #source: Source | undefined;
  #next: Source | undefined;
  #cut: ParleyError | undefined;
  #change: PromiseWithResolvers<void> = Promise.withResolvers();
  #reading: Promise<unknown> = Promise.resolve();
  #over = false;
  #error: ParleyError | undefined;

  constructor(call: Call, onGap: OnGap, keeper: SubscriptionKeeper) {
    this.#call = call;
    this.#onGap = onGap;
    this.#keeper = keeper;
    call.onAbort(this);
  }

  /**
   * Subscribes; resolves when the subscription is active. After the first time a gap is told.
   * @throws ParleyError what the peer or the connection answers
   */
  async make(invoke: Invoke): Promise<void> {
    const again = this.#source !== undefined;
    const { output } = await invoke(derive(this.#call, {}));
    if (!output) throw new ParleyError("internal", `a subscription to ${this.#call.message.subject} has no output`);
    const source = output[Symbol.asyncIterator]();
    if (this.#over) return leave(source);
    if (!again) {
      this.#source = source;
      return;
    }
    if (this.#next) leave(this.#next);
    this.#next = source;
    this.#tell();
    this.#changed();
  }

  /** Whether it was cut, and has yet to be made again. */
  get isCut(): boolean {
    return this.#cut !== undefined && this.#next === undefined;
  }

  /** It cannot be made again: ends with the error, after what had arrived. */
  fail(error: ParleyError): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#ended();
  }

  callAborted(reason: ParleyError): void {
    this.fail(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Envelope, undefined>> {
    // One at a time: an error is told to one reader only, who has to see to it.
    const result = this.#reading.then(() => this.#read());
    this.#reading = result.catch(() => {});
    return result;
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#over = true;
    this.#error = undefined;
    if (this.#source) leave(this.#source);
    if (this.#next) leave(this.#next);
    this.#source = undefined;
    this.#next = undefined;
    this.#ended();
    return Promise.resolve({ done: true, value: undefined });
  }

  async #read(): Promise<IteratorResult<Envelope, undefined>> {
    while (this.#source) {
      try {
        const result = await this.#source.next();
        if (!result.done) return result;
        if (this.#over || !this.#next) return await this.return();
      } catch (thrown) {
        const error = toParleyError(thrown);
        if (this.#call.aborted || !this.#keeper.survives(error)) {
          await this.return();
          throw error;
        }
        this.#cut = error;
        if (!this.#next && !this.#over) this.#keeper.broken(this, error);
      }
      while (!this.#next && !this.#over) await this.#change.promise;
      this.#source = this.#next;
      this.#next = undefined;
      this.#cut = undefined;
    }
    const error = this.#error;
    this.#error = undefined;
    if (error) throw error;
    return { done: true, value: undefined };
  }

  #tell(): void {
    const message = `the subscription to ${this.#call.message.subject} was cut and made again; publications in between may be missing`;
    this.#onGap(new ParleyError("data_loss", message, { outcome: "unknown", cause: this.#cut }));
  }

  #ended(): void {
    this.#call.offAbort(this);
    this.#changed();
    this.#keeper.over(this);
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
