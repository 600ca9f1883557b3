import type { Socket } from "node:net";
import { Patrol, Roster } from "@parley/core/http";
import type { Runtime } from "@parley/core/transport";
import type { Replay } from "./replay.ts";

/** What is kept at most. */
export interface ReplayBounds {
  /** Streams that can be taken up again, of one listener. */
  readonly streams: number;
  /** Streams without a reader, of one peer. */
  readonly detached: number;
  /** Bytes kept by all of them. */
  readonly bytes: number;
}

const BOUNDS: ReplayBounds = { streams: 10_000, detached: 100, bytes: 64 * 1024 * 1024 };

/** How often in a window it is looked who has overstayed it. */
const LOOKS = 16;

/**
 * Streams that can be taken up again. A stream without a reader waits for it as long as the window; of too many, the one that has waited
 * longest goes.
 */
export class ReplayBook {
  readonly #runtime: Runtime;
  readonly #windowMs: number;
  readonly #newId: () => string;
  readonly #all = new Roster<Replay>();
  /** Those that wait for a reader, or to be forgotten; who has waited longest is first. */
  readonly #waiting = new Set<Replay>();
  /** Streams without a reader by whose they are. */
  readonly #detached = new Map<string, number>();
  readonly #ended = new WeakMap<Socket, Replay>();
  readonly #patrol: Patrol;
  readonly #bounds: ReplayBounds;
  #bytes = 0;

  /** @param newId makes names that nobody guesses. */
  constructor(runtime: Runtime, windowMs: number, newId: () => string, bounds: ReplayBounds = BOUNDS) {
    this.#bounds = bounds;
    this.#newId = newId;
    this.#runtime = runtime;
    this.#windowMs = windowMs;
    this.#patrol = new Patrol(runtime, Math.max(windowMs / LOOKS, 1), {
      look: () => this.#look(),
      needed: () => this.#waiting.size > 0,
    });
  }

  /** Makes a stream that can be taken up again; undefined when there are too many already. */
  open(make: (id: string) => Replay): Replay | undefined {
    if (this.#all.size >= this.#bounds.streams && !this.#drop((replay) => replay.ended)) return undefined;
    const replay = make(this.#newId());
    this.#all.add(replay);
    return replay;
  }

  /** The stream of this name, for whoever opened it and nobody else. */
  find(id: string, principal: string | undefined): Replay | undefined {
    return this.#all.find((replay) => replay.session === id && replay.principal === principal);
  }

  /** So many bytes more are kept, or fewer. Returns whether they are too many. */
  keeps(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes <= this.#bounds.bytes) return false;
    this.#drop(() => true);
    return this.#bytes > this.#bounds.bytes;
  }

  /** A stream has lost its reader. */
  detached({ owner }: Replay): void {
    const count = (this.#detached.get(owner) ?? 0) + 1;
    this.#detached.set(owner, count);
    if (count > this.#bounds.detached) this.#drop((one) => one.owner === owner);
  }

  /** It has one again, or is gone. */
  attached({ owner }: Replay): void {
    const count = (this.#detached.get(owner) ?? 1) - 1;
    if (count > 0) this.#detached.set(owner, count);
    else this.#detached.delete(owner);
  }

  /** From now on a stream waits for a reader, or to be forgotten. */
  waits(replay: Replay): void {
    this.#waiting.delete(replay);
    this.#waiting.add(replay);
    this.#patrol.start();
  }

  /** It does not any more. */
  waitsNot(replay: Replay): void {
    if (this.#waiting.delete(replay) && this.#waiting.size === 0) this.#patrol.decide();
  }

  /** The last words of a stream were written to a socket. */
  ended(replay: Replay, socket: Socket): void {
    this.#ended.set(socket, replay);
  }

  /** What was last written to a socket has been read. */
  received(socket: Socket): void {
    const replay = this.#ended.get(socket);
    if (!replay) return;
    this.#ended.delete(socket);
    replay.drop();
  }

  /** A stream is forgotten. */
  delete(replay: Replay): void {
    this.#all.delete(replay);
  }

  /** This side closes, and waits for nobody who is away: streams without a reader are given up. */
  drain(): void {
    for (const replay of this.#waiting) if (!replay.ended) replay.drop();
  }

  close(): void {
    this.#patrol.stop();
    for (const replay of this.#all) replay.drop();
  }

  /** Forgets the one of these that has waited longest. */
  #drop(fits: (replay: Replay) => boolean): boolean {
    for (const replay of this.#waiting) {
      if (!fits(replay)) continue;
      replay.drop();
      return true;
    }
    return false;
  }

  #look(): boolean {
    const now = this.#runtime.now();
    for (const replay of this.#waiting) {
      if (now - replay.waitsSince < this.#windowMs) return true;
      replay.drop();
    }
    return false;
  }
}
