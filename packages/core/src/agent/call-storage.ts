import type { Call } from "../call/call.ts";
import type { Handler, Reply } from "../call/interceptor.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { andThen } from "./maybe.ts";

/**
 * Remembers the call being handled across awaits. `new AsyncLocalStorage<Call>()` of `node:async_hooks` is one; core does not import it, so
 * that it runs without Node.
 */
export interface CallStorage {
  run<Result>(call: Call, callback: () => Result): Result;
  getStore(): Call | undefined;
}

/** The handler, with every call in the storage while it is handled, the making of stream items included. */
export function storing(handler: Handler, storage: CallStorage): Handler {
  return (call) =>
    andThen(
      storage.run(call, () => handler(call)),
      (reply): Reply => (reply.output ? { ...reply, output: new StoredItems(reply.output, call, storage) } : reply),
    );
}

/** A generator runs in the surroundings of whoever asks for its next item; here they are those of the call. */
class StoredItems implements AsyncIterableIterator<Envelope> {
  readonly #iterator: AsyncIterator<Envelope>;
  readonly #call: Call;
  readonly #storage: CallStorage;

  constructor(items: AsyncIterable<Envelope>, call: Call, storage: CallStorage) {
    this.#iterator = items[Symbol.asyncIterator]();
    this.#call = call;
    this.#storage = storage;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Envelope>> {
    return this.#storage.run(this.#call, () => this.#iterator.next());
  }

  return(): Promise<IteratorResult<Envelope>> {
    return (
      this.#storage.run(this.#call, () => this.#iterator.return?.()) ??
      Promise.resolve({ done: true, value: undefined })
    );
  }
}
