import type { EffectOptions, OperationOptions } from "@parley/core/transport";
import type { StdioFormat, StdioFormats } from "./formats.ts";
import type { JsonRpcMessage } from "./json-rpc.ts";
import type { StdioRequestOptions } from "./options.ts";
import type { Until } from "./until.ts";

/**
 * What can be said to a program, and read from it. Each operation may be given up; what it then fails with says whether the program may have
 * seen anything of it.
 */
export interface StdioSession<Format extends StdioFormat> extends AsyncIterable<StdioFormats[Format]["received"]> {
  /**
   * Writes a message; of `jsonrpc` a notification. Resolves when the pipe has taken it, which it does only while the program reads.
   * @throws ParleyError `deadline_exceeded`, `cancelled`, `resource_exhausted`, `invalid_argument`, `unavailable`
   */
  send(message: StdioFormats[Format]["sent"], options?: EffectOptions): Promise<void>;
  /**
   * Writes a question and waits for its answer: of `json` and `line` the next message, of `raw` what stands before the prompt, of `jsonrpc` the
   * result. Several may be under way. An answer that comes after its question was given up is dropped.
   * @throws ParleyError as `send` does, and for an error of JSON-RPC `invalid_argument`, `unimplemented`, `internal` or `unknown`, outcome
   * `rejected`, with {@link JsonRpcErrorDetails}
   */
  request(
    question: StdioFormats[Format]["sent"],
    options?: StdioRequestOptions<Format>,
  ): Promise<StdioFormats[Format]["answer"]>;
  /**
   * The next message that is no answer; of `raw` what has come since, of `jsonrpc` a notification. Waits for as long as it takes, unless told.
   * @throws ParleyError `unavailable` when the program ended before it wrote one
   */
  receive(options?: OperationOptions): Promise<StdioFormats[Format]["received"]>;
  /** The text before the next such place, which is read as well. Waits for as long as it takes, unless told. */
  readUntil(this: StdioSession<"raw">, until: Until, options?: OperationOptions): Promise<string>;
  /** Several requests on one line; resolves when all are answered, each with its result or error. */
  batch(
    this: StdioSession<"jsonrpc">,
    requests: readonly JsonRpcMessage[],
    options?: EffectOptions,
  ): Promise<readonly PromiseSettledResult<unknown>[]>;
  /** Messages as `receive` gives them, of one child: over when it exits with 0 or the client is closed, else the error of its end is thrown. */
  [Symbol.asyncIterator](): AsyncIterableIterator<StdioFormats[Format]["received"], undefined, undefined>;
}
