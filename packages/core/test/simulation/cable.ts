import type { ParleyError } from "../../src/call/error.ts";
import type { Channel, ChannelEvents, OpenChannel } from "../../src/transport/channel/channel.ts";
import { Lane } from "./lane.ts";
import type { SimulatedProcess, Simulation } from "./simulation.ts";

/** Which way frames go. */
export type Way = "up" | "down";

/** What a {@link Cable} is made from. */
export interface CableInit {
  readonly simulation: Simulation;
  readonly client: SimulatedProcess;
  readonly server: SimulatedProcess;
  /** Whether its ends are busy at times, and say so. */
  readonly busy: boolean;
  /** How often a frame that is written arrives. */
  copies(way: Way, frame: string): number;
  /** It is of no more use to anybody. */
  over(cable: Cable): void;
}

/** Both directions between two processes: frames arrive in their order, after a delay, unless a fault has it otherwise. */
export class Cable {
  readonly #init: CableInit;
  readonly #up: Lane;
  readonly #down: Lane;
  readonly #events: Record<Way, ChannelEvents | undefined> = { up: undefined, down: undefined };
  readonly near: OpenChannel;
  readonly far: OpenChannel;

  constructor(init: CableInit) {
    const { simulation, client, server } = init;
    this.#init = init;
    this.#up = new Lane(simulation, () => server.alive);
    this.#down = new Lane(simulation, () => client.alive);
    this.near = (events) => this.#end(events, "down", "up");
    this.far = (events) => this.#end(events, "up", "down");
  }

  /** What is under way is lost; both sides notice soon. */
  cut(): void {
    this.#init.over(this);
    for (const way of ["up", "down"] as const) this.#lane(way).cut(() => this.#events[way]?.closed(new Error("cut")));
  }

  /** Only the client notices: what it had sent arrives late, and the server waits for more. */
  leave(lateMs: number): void {
    this.#init.over(this);
    this.#up.stall(lateMs);
    this.#down.cut(() => this.#events.down?.closed(new Error("cut")));
  }

  mute(way: Way): void {
    this.#lane(way).mute();
  }

  stall(ms: number, ways: readonly Way[] = ["up", "down"]): void {
    for (const way of ways) this.#lane(way).stall(ms);
  }

  #end(events: ChannelEvents, incoming: Way, outgoing: Way): Channel {
    this.#events[incoming] = events;
    return {
      write: (frames) => {
        for (const frame of frames) this.#send(outgoing, frame);
        return !this.#init.busy || !this.#isBusy(events);
      },
      close: (reason?: ParleyError) => {
        this.#init.over(this);
        this.#lane(outgoing).finish(() => this.#events[outgoing]?.closed(undefined));
        this.#lane(incoming).finish(() => events.closed(reason));
      },
    };
  }

  #send(way: Way, frame: string): void {
    const { simulation } = this.#init;
    const send = (): void => this.#lane(way).send(() => this.#arrive(way, frame));
    for (let copies = this.#init.copies(way, frame); copies > 0; copies--) {
      if (copies === 1) send();
      else simulation.after(simulation.random.next() * 20, send);
    }
  }

  #isBusy(events: ChannelEvents): boolean {
    const { simulation } = this.#init;
    if (!simulation.random.chance(0.1)) return false;
    simulation.after(simulation.random.next() * 20, () => events.drain());
    return true;
  }

  #lane(way: Way): Lane {
    return way === "up" ? this.#up : this.#down;
  }

  #arrive(way: Way, frame: string): void {
    this.#init.simulation.tell(`${way} ${frame.length} ${/"kind":"([a-z-]+)"/.exec(frame)?.[1]}`);
    this.#events[way]?.frame(frame);
  }
}
