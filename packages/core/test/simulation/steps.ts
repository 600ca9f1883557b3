import type { Remote } from "../../src/agent/connect.ts";
import { ParleyError } from "../../src/call/error.ts";
import { STEPS_END_MS, type Step } from "./plan.ts";
import type { Simulation } from "./simulation.ts";
import type { World } from "./world-contract.ts";

/** A step, and those whom it concerns. */
export interface StepInit {
  readonly remote: Remote<World>;
  readonly id: number;
  readonly step: Step;
  readonly options: { readonly signal: AbortSignal; readonly timeoutMs?: number };
  /** Whether publications that are missed are always told. */
  readonly tellsGaps: boolean;
  /** Whether there are none. */
  readonly isSurvived: boolean;
  /** Whether a stream that is lost after it began says so. */
  readonly tellsLoss: boolean;
  readonly simulation: Simulation;
  violation(text: string): void;
}

/** What a step came to; with the number of the effect, where it is told. */
export interface Told {
  readonly text: string;
  readonly answer?: number;
}

/** Does a step, and checks what comes back. @throws what the call fails with */
export function doStep(init: StepInit): Promise<Told> {
  return does[init.step.does](init);
}

const does: Readonly<Record<Step["does"], (init: StepInit) => Promise<Told>>> = {
  request: async (init) => answered(await init.remote.work(jobOf(init), init.options)),
  lookup: async (init) => answered(await init.remote.lookup(jobOf(init), init.options)),
  keyed: async (init) =>
    answered(await init.remote.work(jobOf(init), { ...init.options, idempotencyKey: `key-${init.id}` })),
  notify: async (init) => {
    await init.remote.note(jobOf(init), init.options);
    return { text: "handed over" };
  },
  publish: async ({ remote, id, options }) => {
    await remote.reports.publish({}, id, options);
    return { text: "published" };
  },
  stream: (init) => wholeStream(init, init.remote.count(jobOf(init), init.options)),
  chat: (init) => wholeStream(init, init.remote.echo(upTo(init.step.items), init.options)),
  upload: async ({ remote, id, step: { items }, options, violation }) => {
    const taken = await remote.collect(upTo(items), options);
    if (taken !== items) violation(`upload ${id} was answered after ${taken} of ${items} items`);
    return { text: `${taken} items` };
  },
  subscribe: async ({ remote, id, step: { items }, options, tellsGaps, isSurvived, simulation, violation }) => {
    let gap = true;
    let last = 0;
    let seen = 0;
    const onGap = (): void => {
      gap = true;
      if (isSurvived) violation(`subscription ${id} was told of a gap, and its session was not lost`);
    };
    const subscription = await remote.news.subscribe({}, { ...options, onGap });
    simulation.after(STEPS_END_MS, () => void subscription.close());
    for await (const { data } of subscription) {
      if (tellsGaps && (data <= last || (!gap && data !== last + 1)))
        violation(`subscription ${id} got ${data} after ${last}, and was told of no gap`);
      last = data;
      gap = false;
      if (++seen > items) break;
    }
    return { text: `${seen} publications` };
  },
};

async function wholeStream({ id, step, tellsLoss, violation }: StepInit, items: AsyncIterable<number>): Promise<Told> {
  const { does: kind, items: all } = step;
  let last = 0;
  try {
    for await (const item of items) {
      if (item !== last + 1) violation(`${kind} ${id} got item ${item} after ${last}`);
      last = item;
    }
  } catch (thrown) {
    if (tellsLoss && last > 0 && thrown instanceof ParleyError && thrown.code === "unavailable")
      violation(`${kind} ${id} was lost after item ${last}, and calls it unavailable`);
    throw thrown;
  }
  if (last !== all) violation(`${kind} ${id} ended in good order after ${last} of ${all} items`);
  return { text: `${last} items` };
}

function answered(answer: number): Told {
  return { text: `answered with effect ${answer}`, answer };
}

function jobOf({ id, step: { items, workMs } }: StepInit): { id: number; items: number; workMs: number } {
  return { id, items, workMs };
}

async function* upTo(count: number): AsyncGenerator<number, void, undefined> {
  for (let item = 1; item <= count; item++) yield item;
}
