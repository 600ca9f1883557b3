import { cancelled, hiddenReasons, ParleyError, TransportError } from "@parley/core/transport";
import type { Opening } from "../dial.ts";
import { timedOut } from "../handshake-timeout.ts";
import { offerOf } from "../offer.ts";
import { subprotocols } from "../subprotocols.ts";

/**
 * Opens a WebSocket of the browser, showing who calls; once more when that is refused and there is something else to show. Resolves with what
 * `adopt` makes of it, in the turn in which it opened.
 * @throws ParleyError `unavailable`, `deadline_exceeded`, `cancelled`, `invalid_argument`, all `not-sent`
 */
export async function openWebSocket<Adopted>(
  url: URL,
  opening: Opening,
  adopt: (webSocket: WebSocket) => PromiseLike<Adopted>,
): Promise<Adopted> {
  const { presenter, connectTimeoutMs, signal, runtime } = opening;
  if (!presenter) return open(url, opening, subprotocols, adopt);
  const deadline = runtime.now() + connectTimeoutMs;
  const timeLeft = (): number => Math.max(0, deadline - runtime.now());
  return presenter.dial(async () => {
    const credential = await presenter.presentWithin({ timeoutMs: timeLeft(), signal, runtime });
    return open(url, { ...opening, connectTimeoutMs: timeLeft() }, [...subprotocols, offerOf(credential)], adopt);
  });
}

function open<Adopted>(
  url: URL,
  { connectTimeoutMs, signal, runtime }: Opening,
  protocols: readonly string[],
  adopt: (webSocket: WebSocket) => PromiseLike<Adopted>,
): Promise<Adopted> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(signal.reason, "not-sent"));
    const webSocket = create(url, protocols);
    const settled = (): void => {
      cancelTimer();
      signal?.removeEventListener("abort", abort);
      webSocket.onopen = null;
      webSocket.onclose = null;
    };
    const fail = (error: ParleyError): void => {
      settled();
      reject(error);
      webSocket.close();
    };
    const abort = (): void => fail(cancelled(signal?.reason, "not-sent"));
    const cancelTimer = runtime.setTimer(() => fail(timedOut(url, connectTimeoutMs)), connectTimeoutMs);
    signal?.addEventListener("abort", abort);
    webSocket.onclose = () => fail(refused(url));
    webSocket.onopen = () => {
      settled();
      resolve(adopt(webSocket));
    };
  });
}

/** @throws ParleyError what the browser refuses at once, such as `ws:` from a page of `https:` */
function create(url: URL, protocols: readonly string[]): WebSocket {
  const target = new URL(url);
  target.hash = "";
  try {
    return new WebSocket(target, [...protocols]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ParleyError("invalid_argument", `${url.host} cannot be dialled so: ${why}`, {
      outcome: "not-sent",
      cause,
    });
  }
}

/** Neither the status nor the text of a refusal gets to a page. */
function refused(url: URL): ParleyError {
  const message = `${url.protocol}//${url.host}${url.pathname} took no WebSocket; ${hiddenReasons(url)}`;
  return new TransportError("unavailable", message, { outcome: "not-sent" });
}
