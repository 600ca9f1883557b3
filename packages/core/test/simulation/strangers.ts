import type { Envelope } from "../../src/envelope/envelope.ts";
import { type ChannelOptions, dialChannel } from "../../src/transport/over-channel.ts";
import { Keeper } from "../../src/transport/session/keeper.ts";
import type { Cable } from "./cable.ts";
import type { SimulatedProcess, Simulation } from "./simulation.ts";
import { messageOf } from "./wire-mischief.ts";

/** What {@link Strangers} are made from. */
export interface StrangersInit {
  readonly simulation: Simulation;
  /** A cable to the server. @throws TransportError when nobody listens */
  lay(process: SimulatedProcess): Cable;
  /** How a process speaks over it. */
  options(process: SimulatedProcess): ChannelOptions;
  violation(text: string): void;
}

/** Those who want something of the server while the client has a session there. */
export class Strangers {
  readonly #init: StrangersInit;
  #made = 0;

  constructor(init: StrangersInit) {
    this.#init = init;
  }

  /** So many come, each has a session, and all are gone after a while without a word. */
  crowd(count: number, forMs: number): void {
    const { simulation, options } = this.#init;
    for (let n = 0; n < count; n++) {
      const stranger = simulation.process(`stranger ${++this.#made}`);
      const cable = this.#cable(stranger);
      if (!cable) return;
      simulation.after(forMs, () => {
        stranger.crash();
        cable.cut();
      });
      dialChannel(cable.near, { ...options(stranger), session: new Keeper() }).catch(() => {});
    }
  }

  /** One who knows the name of a session, but shows another principal, wants to have it. */
  steal(hello: Envelope | undefined, session: string | undefined): void {
    if (!hello || session === undefined) return;
    const generation = (hello.generation ?? 1) + 5;
    this.#say({ ...hello, session, generation, ack: hello.ack ?? 0 }, `thief ${++this.#made}`);
  }

  /** The hello that resumed a session comes once more, as if from whoever has said it. */
  echo(hello: Envelope | undefined, name: string): void {
    if (hello?.session !== undefined) this.#say(hello, name);
  }

  #cable(process: SimulatedProcess): Cable | undefined {
    try {
      return this.#init.lay(process);
    } catch {
      return undefined;
    }
  }

  #say(hello: Envelope, name: string): void {
    const { simulation, violation } = this.#init;
    const cable = this.#cable(simulation.process(name));
    const channel = cable?.near({
      frame: (frame) => {
        const data = messageOf(frame).data as { readonly resume?: { readonly resumed?: boolean } } | undefined;
        if (data?.resume?.resumed) violation(`the session was given to ${name}, who is not to have it`);
        channel?.close();
      },
      refused: () => {},
      drain: () => {},
      closed: () => {},
    });
    channel?.write([JSON.stringify(hello)]);
  }
}
