import { type HttpRequestOptions, type HttpResponse, Requester } from "@parley/core/http";
import { essenceOf } from "@parley/core/http/client";
import { ParleyError, type Runtime } from "@parley/core/transport";
import { EVENT_STREAM } from "../event-stream.ts";
import { openSocket } from "./open-socket.ts";
import type { SseClientOptions } from "./sse-client-options.ts";

/** The request for a stream of events, as often as it has to be made. */
export class EventRequest {
  readonly url: URL;
  readonly method: string;
  readonly #options: SseClientOptions;
  readonly #requester: Requester;

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: SseClientOptions, runtime: Runtime) {
    const { url, json, form, body, idleTimeoutMs = 300_000 } = options;
    const { headers, credentials, tls, connectTimeoutMs, headersTimeoutMs, maxRedirects, redirectOrigins } = options;
    const { retry, use, hooks, log } = options;
    if (!URL.canParse(String(url))) {
      throw new ParleyError("invalid_argument", "the option url is no whole URL, such as https://host/events", {
        outcome: "not-sent",
      });
    }
    if (typeof (options.lastEventId ?? "") !== "string") {
      throw new ParleyError("invalid_argument", `lastEventId must be a text, and is ${typeof options.lastEventId}`, {
        outcome: "not-sent",
      });
    }
    this.#options = options;
    this.#requester = new Requester(
      {
        baseUrl: url,
        headers,
        credentials,
        tls,
        connectTimeoutMs,
        headersTimeoutMs,
        maxRedirects,
        redirectOrigins,
        retry,
        use,
        hooks,
        log,
        runtime,
        bodyTimeoutMs: idleTimeoutMs,
        maxResponseBytes: Number.POSITIVE_INFINITY,
      },
      { openSocket, type: "sse.connect" },
    );
    this.url = new URL(url);
    this.method = options.method ?? (json === undefined && form === undefined && body === undefined ? "GET" : "POST");
  }

  /**
   * Asks for the events after an id, or for all if it is empty; once, unless `retry` is to be heeded. Resolves when the server has accepted; with nothing when it says, by 204, that
   * there is no more. The signal holds for the reading as well.
   * @throws ParleyError
   */
  async send(
    lastEventId: string,
    { signal, retry }: Pick<HttpRequestOptions, "signal" | "retry">,
  ): Promise<HttpResponse | undefined> {
    const { params, json, form, body, idempotent } = this.#options;
    const headers = {
      accept: EVENT_STREAM,
      "cache-control": "no-store",
      // UTF-8, as the HTML standard says; headers take its bytes one by one.
      ...(lastEventId === "" ? {} : { "last-event-id": Buffer.from(lastEventId).toString("latin1") }),
    };
    const request = { params, json, form, body, idempotent, signal, retry, headers };
    const answer = await this.#requester.request(this.method, this.url, request);
    if (answer.status === 204) return undefined;
    try {
      this.#check(answer.expectOk());
      return answer;
    } catch (thrown) {
      answer.discard();
      throw thrown;
    }
  }

  /** Gives up what is under way; resolves when nothing is left open. */
  close(): Promise<void> {
    return this.#requester.close({ graceMs: 0 });
  }

  #check({ status, headers }: HttpResponse): void {
    const type = essenceOf(headers.get("content-type") ?? undefined);
    const coding = headers.get("content-encoding") ?? "identity";
    const coded = coding === "identity" ? "" : ` in ${coding.slice(0, 80)}, which was not asked for`;
    if (status === 200 && type === EVENT_STREAM && coded === "") return;
    const answered = `${this.url.host} answered ${status} with ${type.slice(0, 80) || "no content type"}${coded}`;
    throw new ParleyError("internal", `${answered}, and not with ${EVENT_STREAM}`, {
      outcome: "unknown",
      details: { status },
    });
  }
}
