import { ParleyError } from "../call/error.ts";
import { type CancelTimer, type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { countOption, durationOption } from "./option.ts";
import { refused } from "./refused.ts";

/** What {@link batching} takes. */
export interface BatchingOptions {
  /** Items that are sent together at most. @default 32 */
  readonly maxItems?: number | undefined;
  /** How long the first item of a batch waits for others, ms. @default 5 */
  readonly maxWaitMs?: number | undefined;
  /** Items that may be under way, waiting and sent; beyond that they are refused. @default 10_000 */
  readonly maxPending?: number | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What came of an item of a batch: an error is that item's alone. */
export type BatchResult<Result> = Result | ParleyError;

/** Takes single items and sends them in batches. */
export interface Batching<Item, Result> {
  /** Resolves with the item's own result. @throws ParleyError the item's own, or that of the whole batch; `resource_exhausted` when too many are under way */
  (item: Item): Promise<Result>;
  /** Sends what waits, at once. */
  flush(): void;
}

interface Pending<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Puts single calls together: a batch leaves when it is full, or when its first item has waited long enough. Batches run side by side.
 *
 * ```ts
 * const find = batching((ids: readonly string[]) => remote.findAll({ ids }).then(({ found }) => found), { maxItems: 64 });
 * const one = await find("a");
 * ```
 * @param run answers a batch: a result, or an error, for each item, in their order.
 * @throws ParleyError `invalid_argument` for options that make no sense.
 */
export function batching<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly BatchResult<Result>[]>,
  options: BatchingOptions = {},
): Batching<Item, Result> {
  const { runtime = systemRuntime } = options;
  const maxItems = countOption("maxItems", options.maxItems ?? 32, 1);
  const maxWaitMs = durationOption("maxWaitMs", options.maxWaitMs ?? 5);
  const maxPending = countOption("maxPending", options.maxPending ?? 10_000, 1);
  let waiting: Pending<Item, Result>[] = [];
  let pending = 0;
  let cancelTimer: CancelTimer | undefined;

  function add(item: Item): Promise<Result> {
    if (pending >= maxPending) {
      const message = `${pending} items are under way, and no more may be`;
      return Promise.reject(refused("resource_exhausted", message, undefined));
    }
    pending++;
    return new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (waiting.length >= maxItems) flush();
      else if (waiting.length === 1) cancelTimer = runtime.setTimer(flush, maxWaitMs);
    });
  }

  function flush(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    void send(batch);
  }

  async function send(batch: readonly Pending<Item, Result>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw mismatch(results.length, batch.length);
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index] as BatchResult<Result>;
        if (result instanceof ParleyError) reject(result);
        else resolve(result);
      }
    } catch (thrown) {
      for (const { reject } of batch) reject(thrown);
    } finally {
      pending -= batch.length;
    }
  }

  return Object.assign(add, { flush });
}

function mismatch(got: number, wanted: number): ParleyError {
  return new ParleyError("internal", `a batch of ${wanted} items was answered by ${got} results`, {
    outcome: "unknown",
  });
}
