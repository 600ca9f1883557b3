import {
  type AbortListener,
  type Call,
  createCall,
  createEnvelope,
  type Envelope,
  type Invoke,
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
 * open, and the answer must begin meanwhile. Proxies that collect a request before they pass it on fail this; the caller's items then go by
 * requests of their own.
 */
export class Duplex {
  readonly #probe: DuplexProbe;
  #verdict: Promise<boolean> | undefined;

  constructor(probe: DuplexProbe) {
    this.#probe = probe;
  }

  /**
   * Resolves with whether the items of a call have to go by requests of their own; at once when the call is given up.
   * @param uplink whether the peer takes such requests.
   * @throws ParleyError `unavailable`, or what the call was given up with; outcome `not-sent`.
   */
  async uplinkFor(call: Call, uplink: boolean): Promise<boolean> {
    const { promise: given, reject } = Promise.withResolvers<never>();
    const listener: AbortListener = { callAborted: (reason) => reject(withOutcome(reason, "not-sent")) };
    call.onAbort(listener);
    try {
      const free = await Promise.race([this.#found(), given]);
      if (free || uplink) return !free;
      throw collected(this.#probe.address);
    } finally {
      call.offAbort(listener);
    }
  }

  #found(): Promise<boolean> {
    if (!this.#verdict) {
      this.#verdict = probe(this.#probe);
      // A verdict holds as long as the connection; a peer that was not there may be next time.
      this.#verdict.catch(() => {
        this.#verdict = undefined;
      });
    }
    return this.#verdict;
  }
}

/** @throws ParleyError `unavailable`, `not-sent` when there is no verdict. */
async function probe({ invoke, runtime, source, address }: DuplexProbe): Promise<boolean> {
  const message = createEnvelope({ type: PING, kind: "bidi-stream", source }, runtime);
  const held = new HeldInput();
  const deadline = runtime.now() + PROBE_MS;
  const call = createCall({ kind: "bidi-stream", message, input: held, deadline }, runtime);
  try {
    const { output } = await invoke(call);
    await output?.[Symbol.asyncIterator]().next();
    return true;
  } catch (thrown) {
    if (toParleyError(thrown).code === "deadline_exceeded") return false;
    throw new TransportError("unavailable", `no bidi-stream to ${address}`, { outcome: "not-sent", cause: thrown });
  } finally {
    call.settle();
    held.release();
  }
}

function collected(address: string): TransportError {
  const message = `something between here and ${address} holds requests back until they are complete (a proxy that buffers), so that a bidi-stream cannot work: turn its request buffering off, or use another transport`;
  return new TransportError("unavailable", message, { outcome: "not-sent" });
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
