import type { Socket } from "node:net";
import type { DirectionFaults } from "./faults.ts";

/** Bytes that wait in a lane before its source is no longer read, so that a slow link pushes back. */
const HIGH_WATER_BYTES = 64 * 1024;
/** Longest piece of a paced link. */
const PACED_BYTES = 4 * 1024;
const COALESCE_MS = 20;

/** What all connections of one direction share: the time at which the link is free again. */
export interface Pace {
  freeAt: number;
}

/** What a lane asks of the connection it belongs to. */
export interface LaneOwner {
  /** A number from 0 up to, and without, 1. */
  random(): number;
  /** Ends both directions. */
  cut(how: "fin" | "rst"): void;
  passed(bytes: number): void;
}

interface Piece {
  readonly bytes: Buffer;
  readonly at: number;
}

/** One direction of one connection: takes what its source sends, and gives it to its target as the faults have it. */
export class Lane {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #pace: Pace;
  readonly #owner: LaneOwner;
  #faults: DirectionFaults;
  #left: number;
  #queue: Piece[] = [];
  #queued = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #gathered: Buffer[] = [];
  #gatherTimer: NodeJS.Timeout | undefined;
  #endTimer: NodeJS.Timeout | undefined;
  #ended = false;
  #closed = false;

  constructor(source: Socket, target: Socket, pace: Pace, faults: DirectionFaults, owner: LaneOwner) {
    this.#source = source;
    this.#target = target;
    this.#pace = pace;
    this.#owner = owner;
    this.#faults = faults;
    this.#left = faults.cutAfterBytes ?? Number.POSITIVE_INFINITY;
    source.on("data", (chunk: Buffer) => this.#take(chunk));
    source.on("end", () => this.#end());
    target.on("drain", () => this.#resume());
  }

  /** Other faults from now on; what is under way keeps its time. */
  change(faults: DirectionFaults): void {
    this.#faults = faults;
    this.#left = faults.cutAfterBytes ?? Number.POSITIVE_INFINITY;
    if (this.#left === 0) this.#owner.cut(faults.cut ?? "fin");
    if (!faults.coalesceBytes) this.#flushGathered();
    if (this.#ended) this.#end();
  }

  /** Whether its end was swallowed, or waits: whoever sent it must not be closed in its place. */
  get withholdsEnd(): boolean {
    return this.#faults.drop === true || (this.#faults.endDelayMs ?? 0) > 0;
  }

  /** Forgets what waits. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#gathered = [];
    clearTimeout(this.#timer);
    clearTimeout(this.#gatherTimer);
    clearTimeout(this.#endTimer);
    clearImmediate(this.#turn);
  }

  #take(chunk: Buffer): void {
    if (this.#closed || this.#faults.drop) return;
    const { coalesceBytes } = this.#faults;
    if (coalesceBytes === undefined) return this.#queuePieces(chunk);
    this.#gathered.push(chunk);
    clearTimeout(this.#gatherTimer);
    if (this.#gathered.reduce((sum, { length }) => sum + length, 0) >= coalesceBytes) this.#flushGathered();
    else this.#gatherTimer = setTimeout(() => this.#flushGathered(), COALESCE_MS);
  }

  #flushGathered(): void {
    clearTimeout(this.#gatherTimer);
    const all = Buffer.concat(this.#gathered);
    this.#gathered = [];
    if (all.length > 0) this.#queuePieces(all);
  }

  #queuePieces(chunk: Buffer): void {
    const { latencyMs = 0, jitterMs = 0, bytesPerSecond, sliceBytes } = this.#faults;
    const longest = Math.min(sliceBytes ?? chunk.length, bytesPerSecond === undefined ? chunk.length : PACED_BYTES);
    const now = performance.now();
    const arrives = now + Math.max(0, latencyMs + jitterMs * (2 * this.#owner.random() - 1));
    for (let at = 0; at < chunk.length; at += longest) {
      const bytes = chunk.subarray(at, at + longest);
      let due = arrives;
      if (bytesPerSecond !== undefined) {
        due = Math.max(due, this.#pace.freeAt);
        this.#pace.freeAt = due + (bytes.length * 1_000) / bytesPerSecond;
      }
      this.#queue.push({ bytes, at: due });
      this.#queued += bytes.length;
    }
    if (this.#queued > HIGH_WATER_BYTES) this.#source.pause();
    this.#pump();
  }

  #pump(): void {
    if (this.#timer || this.#turn || this.#closed) return;
    const { sliceBytes } = this.#faults;
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const waitMs = next.at - performance.now();
      if (waitMs > 0.5) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#pump();
        }, Math.ceil(waitMs));
        return;
      }
      this.#queue.shift();
      this.#queued -= next.bytes.length;
      this.#write(next.bytes);
      if (this.#closed) return;
      if (sliceBytes !== undefined && this.#queue.length > 0) {
        this.#turn = setImmediate(() => {
          this.#turn = undefined;
          this.#pump();
        });
        return;
      }
    }
    this.#resume();
    if (this.#ended) this.#end();
  }

  #write(bytes: Buffer): void {
    if (!this.#target.writable) return;
    const passing = bytes.length < this.#left ? bytes : bytes.subarray(0, this.#left);
    this.#left -= passing.length;
    if (passing.length > 0) this.#target.write(passing);
    this.#owner.passed(passing.length);
    if (this.#left === 0) this.#owner.cut(this.#faults.cut ?? "fin");
  }

  #resume(): void {
    if (this.#queued <= HIGH_WATER_BYTES && !this.#target.writableNeedDrain) this.#source.resume();
    else this.#source.pause();
  }

  #end(): void {
    this.#ended = true;
    this.#flushGathered();
    const { drop, endDelayMs = 0 } = this.#faults;
    if (drop || this.#queue.length > 0 || this.#closed || this.#target.writableEnded) return;
    clearTimeout(this.#endTimer);
    if (endDelayMs === 0) this.#target.end();
    else if (Number.isFinite(endDelayMs)) this.#endTimer = setTimeout(() => this.#target.end(), endDelayMs);
  }
}
