import {
  type AbortListener,
  type Call,
  createCall,
  createEnvelope,
  type Envelope,
  type Invoke,
  type ParleyError,
  PING,
  type Runtime,
  TransportError,
  toParleyError,
  withOutcome,
} from "@parley/core/transport";

/** How long an answer may take that should come while the request is still being sent. */
const PROBE_MS = 2_000;

/** What a probe needs of its connection. */
export interface DuplexProbe {
  readonly invoke: Invoke;
  readonly runtime: Runtime;
  readonly source: string;
  readonly address: string;
}

/**
 * Whether both directions of a request flow at the same time. Found out once, before the first `bidi-stream`: an upload is opened and held
 * open, and the answer must begin meanwhile. Proxies that collect a request before they pass it on fail this.
 */
export class Duplex {
  readonly #probe: DuplexProbe;
  #verdict: Promise<void> | undefined;

  constructor(probe: DuplexProbe) {
    this.#probe = probe;
  }

  /**
   * Resolves when the way is known to be free, or rejects; at once when the call is given up.
   * @throws ParleyError `unavailable`, or what the call was given up with; outcome `not-sent`.
   */
  async free(call: Call): Promise<void> {
    const { promise: given, reject } = Promise.withResolvers<never>();
    const listener: AbortListener = { callAborted: (reason) => reject(withOutcome(reason, "not-sent")) };
    call.onAbort(listener);
    try {
      await Promise.race([this.#found(), given]);
    } finally {
      call.offAbort(listener);
    }
  }

  #found(): Promise<void> {
    if (!this.#verdict) {
      this.#verdict = probe(this.#probe);
      // A verdict holds as long as the connection; a peer that was not there may be next time.
      this.#verdict.catch(({ cause }: ParleyError) => {
        if (toParleyError(cause).code !== "deadline_exceeded") this.#verdict = undefined;
      });
    }
    return this.#verdict;
  }
}

async function probe({ invoke, runtime, source, address }: DuplexProbe): Promise<void> {
  const message = createEnvelope({ type: PING, kind: "bidi-stream", source }, runtime);
  const held = new HeldInput();
  const deadline = runtime.now() + PROBE_MS;
  const call = createCall({ kind: "bidi-stream", message, input: held, deadline }, runtime);
  try {
    const { output } = await invoke(call);
    await output?.[Symbol.asyncIterator]().next();
  } catch (thrown) {
    const buffered = toParleyError(thrown).code === "deadline_exceeded";
    throw new TransportError("unavailable", buffered ? collected(address) : `no bidi-stream to ${address}`, {
      outcome: "not-sent",
      cause: thrown,
    });
  } finally {
    call.settle();
    held.release();
  }
}

function collected(address: string): string {
  return `something between here and ${address} holds requests back until they are complete (a proxy that buffers), so that a bidi-stream cannot work: turn its request buffering off, or use another transport`;
}

/** Items that never come, until it is released. */
class HeldInput implements AsyncIterableIterator<Envelope, undefined> {
  readonly #released = Promise.withResolvers<IteratorReturnResult<undefined>>();

  release(): void {
    this.#released.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorReturnResult<undefined>> {
    return this.#released.promise;
  }
}
