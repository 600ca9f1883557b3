import type { Envelope } from "../../src/envelope/envelope.ts";
import { HELLO } from "../../src/transport/hello.ts";
import { Numbers } from "../../src/transport/session/numbers.ts";
import { CONNECTION } from "../../src/transport/session/session-message.ts";
import type { Way } from "./cable.ts";
import type { Simulation } from "./simulation.ts";
import { messageOf } from "./wire-mischief.ts";

/** How many numbers messages have in a simulated session. */
export const SESSION_MODULUS = 64;

const numbers = new Numbers(SESSION_MODULUS);

/** Codes with which a side may end a connection though none has broken a rule. */
const mild: ReadonlySet<string> = new Set(["unavailable", "aborted", "permission_denied", "deadline_exceeded"]);

/** What is seen on one channel. */
interface Seen {
  /** By the way in which it went: the last message that is known to have been written. */
  readonly last: Record<Way, number>;
  /** By the way in which it goes: the message that must be written next, none being left out, or written twice. */
  next: Record<Way, number>;
  /** By the way in which it was said: the last message that is acknowledged. */
  readonly taken: Record<Way, number>;
  hello?: Envelope;
  /** The client was given a session, or its own. */
  hasSession: boolean;
}

/** What is seen of sessions from outside, frame by frame as it is written, on the wires of one client and one server. */
export class SessionWatch {
  readonly #simulation: Simulation;
  readonly #violation: (text: string) => void;
  /** By id of the opener: until when its caller waits. */
  readonly #due = new Map<string, number>();
  /** Of the channel that was opened last. */
  #seen: Seen | undefined;
  /** The last hello of the client that was answered. */
  hello: Envelope | undefined;
  /** The session that the client was given last. */
  session: string | undefined;

  constructor(simulation: Simulation, violation: (text: string) => void) {
    this.#simulation = simulation;
    this.#violation = violation;
  }

  /** Another channel is opened; gives what is to be told of each frame that is written there. */
  opened(): (way: Way, frame: string) => void {
    const seen: Seen = {
      last: { up: 0, down: 0 },
      next: { up: 1, down: 1 },
      taken: { up: 0, down: 0 },
      hasSession: false,
    };
    this.#seen = seen;
    return (way, frame) => {
      const sn = numberOf(frame, "sn");
      if (sn !== undefined) this.#checkOrder(way, sn, seen);
      seen.last[way] = numberOf(frame, "high") ?? sn ?? seen.last[way];
      seen.taken[way] = numberOf(frame, "ack") ?? seen.taken[way];
      if (frame.includes('"timeoutms":')) this.#checkTime(messageOf(frame));
      if (frame.includes(HELLO)) this.#greeted(messageOf(frame), seen);
      if (frame.includes(`"type":"${CONNECTION}","kind":"error"`)) this.#checkEnd(messageOf(frame));
    };
  }

  /** What a side still keeps, a sentence each. */
  remains(): readonly string[] {
    if (!this.#seen?.hasSession) return [];
    const { last, taken } = this.#seen;
    return (
      [
        ["up", "down"],
        ["down", "up"],
      ] as const
    )
      .filter(([way, back]) => last[way] !== taken[back])
      .map(([way, back]) => `of what went ${way}, ${last[way]} was the last, and ${taken[back]} is acknowledged`);
  }

  #greeted(message: Envelope, seen: Seen): void {
    const { kind, session, generation, ack = 0 } = message;
    if (kind === "request") seen.hello = message;
    if (kind !== "reply") return;
    this.hello = seen.hello;
    seen.hasSession = session !== undefined;
    if (generation === 1) this.session = session;
    // What each says that it has, the other goes on after.
    else seen.next = { up: numbers.next(ack), down: numbers.next(seen.hello?.ack ?? 0) };
  }

  /** On one channel all follows in its order. */
  #checkOrder(way: Way, sn: number, seen: Seen): void {
    if (sn !== seen.next[way]) this.#violation(`message ${sn} went ${way}, and ${seen.next[way]} was next`);
    seen.next[way] = numbers.next(sn);
  }

  /** Whenever an opener is written, it has the time that is left. */
  #checkTime({ id, kind, timeoutms = 0 }: Envelope): void {
    const due = this.#simulation.now + timeoutms;
    const known = this.#due.get(id) ?? due;
    this.#due.set(id, known);
    // Whole milliseconds, rounded up.
    if (due > known + 1)
      this.#violation(`${kind} ${id} was sent again with ${timeoutms} ms, ${(due - known).toFixed()} too many`);
  }

  /** Both sides keep to the rules, so that none accuses the other. */
  #checkEnd({ data }: Envelope): void {
    const { code, message } = data as { readonly code: string; readonly message: string };
    if (!mild.has(code)) this.#violation(`a side ended the connection with ${code}: ${message}`);
  }
}

function numberOf(frame: string, attribute: string): number | undefined {
  const at = frame.indexOf(`"${attribute}":`);
  return at < 0 ? undefined : Number.parseInt(frame.slice(at + attribute.length + 3), 10);
}
