import { agent } from "@parley/core";
import type { Call, Envelope, Handler, Reply } from "@parley/core/transport";
import type { HandlerEvent } from "./control.ts";
import { createFixture, type Fixture } from "./fixture.ts";
import { tellEvent } from "./told-event.ts";
import { Watch } from "./watch.ts";
import { witness } from "./witness-contract.ts";

/**
 * The agent that the suite calls, to be served by a server of one's own: `serve(conformanceAgent(), ["ws://127.0.0.1:7070"], { transports: [ws()] })`,
 * and then `parley-conformance --url ws://127.0.0.1:7070`. It answers everybody, holds calls open for as long as it is told to, and tells what it
 * saw to whoever asks: it is for tests, by one suite at a time, and for no address that strangers reach.
 */
export function conformanceAgent(): Handler {
  const open = new Set<Call>();
  const watch = new Watch();
  const tell = (event: HandlerEvent): void => watch.tell(JSON.stringify(tellEvent(event)));
  let fixture: Fixture = createFixture(tell);
  const control = agent(witness, {
    reset: () => {
      fixture.reset();
      fixture = createFixture(tell);
      return watch.begin();
    },
    release: async (input) => {
      for (const gate of input as readonly string[]) {
        fixture.release(gate); // the suite's own words
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      return null;
    },
    openCalls: () => open.size,
    seen: (input) => {
      watch.seen(Number(input));
      return null;
    },
    events: (_input, { signal }) => watch.items(signal),
  });
  const followed = { opened: (call: Call) => open.add(call), closed: (call: Call) => open.delete(call), watch };
  return (call) => {
    const { type } = call.message;
    if (type.startsWith(`${witness.name}.`)) return control.handle(call);
    // What Parleys ask each other is no call of the suite's.
    return type.startsWith("parley.") ? fixture.handler(call) : handled(call, fixture.handler, followed);
  };
}

interface Followed {
  opened(call: Call): void;
  closed(call: Call): void;
  readonly watch: Watch;
}

/**
 * Handles a call that counts as open until it is answered, its output has ended or been left, or it is given up. Nothing that it says leaves before the
 * suite knows what its handler saw.
 */
async function handled(call: Call, next: Handler, { opened, closed, watch }: Followed): Promise<Reply> {
  const close = (): void => closed(call);
  opened(call);
  call.onAbort({ callAborted: close });
  try {
    const reply = await next(call);
    if (reply.output) return { ...reply, output: output(reply.output, close, watch) };
    await watch.caughtUp();
    close();
    return reply;
  } catch (error) {
    await watch.caughtUp();
    close();
    throw error;
  }
}

function output(items: AsyncIterable<Envelope>, close: () => void, watch: Watch): AsyncIterable<Envelope> {
  return {
    [Symbol.asyncIterator]() {
      const inner = items[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const result = await inner.next();
            await watch.caughtUp();
            if (result.done) close();
            return result;
          } catch (error) {
            await watch.caughtUp();
            close();
            throw error;
          }
        },
        async return() {
          close();
          await inner.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
