import type { Frame } from "../channel/frame-codec.ts";

/** A message that is not replayed as it was written. */
export interface Replayed {
  /** What to send in its place now, as message `sn`; undefined when nobody wants it any more. */
  again(sn: number): Frame | undefined;
  /** The peer has taken it over. */
  handedOver(): void;
}

const FIRST_CAPACITY = 64;

/** What was sent and may have to be sent again: a circular array that lets go of what it no longer needs. */
export class Ring {
  #frames: (Frame | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  #origins: (Replayed | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  #first = 0;
  #size = 0;
  #chars = 0;

  /** Messages. */
  get size(): number {
    return this.#size;
  }

  /** What the frames take, characters; of frames that are bytes, bytes. */
  get chars(): number {
    return this.#chars;
  }

  push(frame: Frame, origin: Replayed | undefined): void {
    if (this.#size === this.#frames.length) this.#resize(this.#size * 2);
    const at = (this.#first + this.#size) & (this.#frames.length - 1);
    this.#frames[at] = frame;
    this.#origins[at] = origin;
    this.#size++;
    this.#chars += frame.length;
  }

  /** Lets go of the oldest; gives what it came from. */
  shift(): Replayed | undefined {
    const at = this.#first;
    const origin = this.#origins[at];
    this.#chars -= (this.#frames[at] as Frame).length;
    this.#frames[at] = undefined;
    this.#origins[at] = undefined;
    this.#first = (at + 1) & (this.#frames.length - 1);
    this.#size--;
    return origin;
  }

  /** The frame at a place, the oldest being 0. */
  frame(place: number): Frame {
    return this.#frames[(this.#first + place) & (this.#frames.length - 1)] as Frame;
  }

  origin(place: number): Replayed | undefined {
    return this.#origins[(this.#first + place) & (this.#frames.length - 1)];
  }

  clear(): void {
    this.#first = 0;
    this.#size = 0;
    this.#chars = 0;
    this.#frames = new Array(FIRST_CAPACITY).fill(undefined);
    this.#origins = new Array(FIRST_CAPACITY).fill(undefined);
  }

  #resize(capacity: number): void {
    const frames: (Frame | undefined)[] = new Array(capacity).fill(undefined);
    const origins: (Replayed | undefined)[] = new Array(capacity).fill(undefined);
    for (let place = 0; place < this.#size; place++) {
      frames[place] = this.frame(place);
      origins[place] = this.origin(place);
    }
    this.#frames = frames;
    this.#origins = origins;
    this.#first = 0;
  }
}
