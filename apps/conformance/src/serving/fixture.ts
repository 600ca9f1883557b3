import { agent } from "@parley/core";
import { type AbortListener, type Call, type Handler, HELLO, systemRuntime } from "@parley/core/transport";
import { monotonicNow } from "../history.ts";
import { conformance } from "./contract.ts";
import type { Called, HandlerEvent } from "./control.ts";
import { Gates } from "./gates.ts";
import { handlers } from "./handlers.ts";
import type { Note } from "./note.ts";

/** The agent that every transport is tested with. */
export interface Fixture {
  readonly handler: Handler;
  release(gate: string): void;
  /** Opens every gate. */
  reset(): void;
}

/** Makes the agent; `tell` gets its history as it happens. */
export function createFixture(tell: (event: HandlerEvent) => void): Fixture {
  const gates = new Gates();
  const note: Note = (what, { message }, detail) => {
    tell({
      at: monotonicNow(),
      what,
      operation: operationOf(message.type),
      call: message.id,
      ...(detail === undefined ? {} : { detail }),
    });
  };
  const answering = agent(conformance, handlers(note, gates), { name: "conformance-fixture" });
  return {
    handler(call) {
      if (call.message.type === HELLO) return answering.handle(call);
      note("called", call, describe(call));
      call.onAbort(abortNote(call, note));
      return answering.handle(call);
    },
    release: (gate) => gates.open(gate),
    reset: () => gates.openAll(),
  };
}

function describe({ kind, message, deadline, context }: Call): Called {
  const { data } = message;
  return {
    kind,
    message,
    ...(deadline === undefined ? {} : { remainingMs: deadline - systemRuntime.now() }),
    ...(context.peer?.address === undefined ? {} : { address: context.peer.address }),
    ...(context.peer ? { transport: context.peer.transport } : {}),
    ...(data instanceof Uint8Array ? { bytes: data.constructor.name } : {}),
  };
}

function abortNote(call: Call, note: Note): AbortListener {
  return { callAborted: ({ code }) => note("aborted", call, code) };
}

function operationOf(type: string): string {
  return type.replace(/^conformance\./, "").replace(/\.v\d+$/, "");
}
