import type { Envelope } from "../../src/envelope/envelope.ts";
import { createRuntime, type Runtime } from "../../src/runtime/runtime.ts";
import type { OpenChannel } from "../../src/transport/channel/channel.ts";
import { HELLO } from "../../src/transport/hello.ts";
import { Numbers } from "../../src/transport/session/numbers.ts";
import { sessionMessage } from "../../src/transport/session/session-message.ts";
import { SESSION_MODULUS } from "./session-watch.ts";
import { SESSION_WINDOW_MS } from "./simulated-wire.ts";
import { messageOf, type Tampering, tampered, type WireMischief } from "./wire-mischief.ts";
import type { WrongVariant } from "./wrong-variant.ts";

const numbers = new Numbers(SESSION_MODULUS);

const wire = (noticed: RegExp, wireMischief: () => WireMischief): WrongVariant => ({
  world: "sessions",
  options: { wireMischief },
  noticed,
});

/** A side that acknowledges what has arrived, and hands it over a little later. */
const acknowledgesEarly =
  (open: OpenChannel, runtime: Runtime): OpenChannel =>
  (events) => {
    let over = false;
    const channel = open({
      ...events,
      frame: (frame) => {
        const { sn } = messageOf(frame);
        if (sn === undefined) return events.frame(frame);
        channel.write([acknowledgement(sn)]);
        runtime.setTimer(() => over || events.frame(frame), 2);
      },
      closed: (cause) => {
        over = true;
        events.closed(cause);
      },
    });
    return channel;
  };

/** A side that lets go of what it has written. */
const forgetsWritten =
  (open: OpenChannel, runtime: Runtime): OpenChannel =>
  (events) => {
    const channel = open(events);
    return {
      write: (frames) => {
        const { sn } = messageOf(frames.at(-1) as string);
        if (sn !== undefined) runtime.defer(() => events.frame(acknowledgement(sn)));
        return channel.write(frames);
      },
      close: (reason) => channel.close(reason),
    };
  };

function acknowledgement(ack: number): string {
  return JSON.stringify({ ...sessionMessage("ack", "/early", ack), ack });
}

/** A side that remembers how much time each call had at first. */
const writesOldTime = (): WireMischief => {
  const times = new Map<string, number>();
  return {
    near: tampered(() => ({
      wrote: (message) => {
        const { id, timeoutms } = message;
        if (timeoutms === undefined) return message;
        const first = times.get(id) ?? timeoutms;
        times.set(id, first);
        return { ...message, timeoutms: first };
      },
    })),
  };
};

/** A side that goes on where messages are missing. */
const ignoresGaps = (): Tampering => {
  let received = 0;
  return {
    // What it says of itself in the answer to hello is what it has.
    wrote: (message) => {
      if (message.session !== undefined) received = message.ack ?? 0;
      return message;
    },
    read: ({ high: _, ...message }) => {
      const { sn } = message;
      if (sn === undefined || !numbers.isAfter(sn, received)) return message as Envelope;
      received = numbers.next(received);
      return { ...message, sn: received } as Envelope;
    },
  };
};

/** A listener that takes up a session for a hello that it should refuse. */
const honours = (refused: (generation: number, last: number) => boolean) => (): WireMischief => {
  const last = new Map<string, number>();
  return {
    far: tampered(() => ({
      read: (message) => {
        const { session, generation = 0 } = message;
        if (session === undefined) return message;
        const known = last.get(session) ?? 1;
        const taken = refused(generation, known) ? known + 1 : generation;
        last.set(session, Math.max(known, taken));
        return { ...message, generation: taken };
      },
    })),
  };
};

/** A side that sends cancellations outside of the order of messages, so that none is sent again. */
const cancelsOnce = (): Tampering => {
  let high = 0;
  return {
    wrote: (message) => {
      const { type, kind, sn, id, source } = message;
      if (type === HELLO) high = message.high ?? 0;
      if (kind !== "cancel" || sn === undefined || numbers.isAfter(sn, high)) return message;
      return { ...sessionMessage("skip", source, sn), id: `${id}.skip`, sn };
    },
  };
};

/** A side that counts credit from the resumption on. */
const countsCreditAnew = (): WireMischief => {
  const granted = new Map<number, Credit>();
  return {
    near: tampered(() => {
      const before = new Map(granted);
      return {
        wrote: (message) => {
          const { kind, call = 0 } = message;
          if (kind !== "credit") return message;
          const { items, bytes } = message.data as Credit;
          const from = before.get(call) ?? { items: 0, bytes: 0 };
          granted.set(call, { items, bytes });
          return { ...message, data: { items: items - from.items, bytes: bytes - from.bytes } };
        },
      };
    }),
  };
};

interface Credit {
  readonly items: number;
  readonly bytes: number;
}

/** A client that goes through what was never written from its end, when the session is lost. */
const movesBackwards = (): WireMischief => {
  const waiting: (() => void)[] = [];
  return {
    move: (move) => (call, from) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(move(call, from) ?? {}));
        if (waiting.length > 1) return;
        queueMicrotask(() => {
          for (const go of waiting.splice(0).reverse()) go();
        });
      }),
  };
};

/** A client that sends what was never written when it has sent what was called since. */
const movesLate = (): WireMischief => ({
  move: (_, runtime, latest) => (call, from) =>
    new Promise((resolve) => {
      const look = (): void => {
        const connection = latest();
        if (connection && connection !== from && connection.state === "open") resolve(connection.call(call));
        else runtime.setTimer(look, 5);
      };
      look();
    }),
});

/** Sides of a session that do one thing wrong, by what that is. */
export const sessionVariants: Readonly<Record<string, WrongVariant>> = {
  "a server that acknowledges before it hands over": wire(/did not run|without a cause/, () => ({
    far: acknowledgesEarly,
  })),
  "a client that lets go of what was not acknowledged": wire(/did not run|without a cause/, () => ({
    near: forgetsWritten,
  })),
  "a client that leaves out the openers of calls that are over": wire(/never settled|was not answered/, () => ({
    near: tampered(() => ({ wrote: (message) => (message.kind === "skip" ? undefined : message) })),
  })),
  "a client that sends again with the time that there was": wire(/was sent again with/, writesOldTime),
  "a server that does not mind that messages are missing": wire(/did not run|without a cause/, () => ({
    far: tampered(ignoresGaps),
  })),
  "a server that honours a hello twice": wire(
    /without a cause|who is not to have it/,
    honours((generation, last) => generation === last),
  ),
  "a server that does not look at the generation": wire(
    /without a cause/,
    honours((generation, last) => generation < last),
  ),
  "a client that cancels out of sequence": wire(/open calls|still runs/, () => ({ near: tampered(cancelsOnce) })),
  "a server that gives up with the channel before what has another by now": wire(/without a cause/, () => ({
    serverRuntime: (runtime) => ({
      ...runtime,
      setTimer: (run, delayMs) => {
        const cancel = runtime.setTimer(run, delayMs);
        return delayMs === SESSION_WINDOW_MS ? () => {} : cancel;
      },
    }),
  })),
  "a server that gives a session to whoever asks": wire(/who is not to have it/, () => ({ ignoresPrincipals: true })),
  "a server that is late for deadlines": wire(/was not told that its deadline had passed/, () => ({
    serverRuntime: (runtime) =>
      createRuntime({ ...runtime, setTimer: (run, delayMs) => runtime.setTimer(run, delayMs * 3) }),
  })),
  "a client that acknowledges one message too few": wire(/is acknowledged$/, () => ({
    near: tampered(() => ({
      wrote: (message) => (message.kind === "ack" && message.ack ? { ...message, ack: message.ack - 1 } : message),
    })),
  })),
  "a client that leaves a timer behind": wire(/timers after close/, () => ({
    near: (open, runtime) => {
      runtime.setTimer(() => {}, 60_000);
      return open;
    },
  })),
  "a client that gives up with its session what was never written": wire(/never left, and was given up/, () => ({
    move: () => () => undefined,
  })),
  "a client that moves what was never written out of order": wire(/which was asked for first/, movesBackwards),
  "a client that moves what was never written too late": wire(/which was asked for first/, movesLate),
  "a client that counts credit anew when it is back": wire(/never settled|without a cause/, countsCreditAnew),
};
