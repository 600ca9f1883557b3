import {
  derive,
  type Envelope,
  type Handler,
  ItemQueue,
  newId,
  type ParleyError,
  type Reply,
  type Runtime,
  toParleyError,
} from "@parley/core/transport";

/** Publications that wait for a reader of the merged stream, in all; then their sources wait. */
const MAX_WAITING = 64;

/** The latest publications, which are not told twice. */
const REMEMBERED = 64;

/** Subscribes to several filters in one: what matches more than one of them comes once. */
export function mergedFilters(filters: readonly string[], handler: Handler, runtime: Runtime): Handler {
  return async (call) => {
    const opened: AsyncIterator<Envelope>[] = [];
    try {
      for (const subject of filters) {
        const message = { ...call.message, id: newId(runtime), subject };
        const { output } = (await handler(derive(call, { message }))) as Reply;
        if (output) opened.push(output[Symbol.asyncIterator]());
      }
    } catch (thrown) {
      for (const one of opened) leave(one);
      throw thrown;
    }
    return { output: new Merged(opened).queue };
  };
}

class Merged {
  readonly queue: ItemQueue<Envelope>;
  readonly #sources: readonly AsyncIterator<Envelope>[];
  readonly #latest: string[] = [];
  #room: (() => void)[] = [];
  #left: number;

  constructor(sources: readonly AsyncIterator<Envelope>[]) {
    this.#sources = sources;
    this.#left = sources.length;
    this.queue = new ItemQueue<Envelope>({ taken: () => this.#wake(), abandoned: () => this.#leaveAll() });
    for (const source of sources) {
      this.#read(source).catch((thrown: unknown) => this.#fail(toParleyError(thrown)));
    }
  }

  async #read(source: AsyncIterator<Envelope>): Promise<void> {
    for (let next = await source.next(); !next.done; next = await source.next()) {
      if (this.#isNew(next.value)) this.queue.push(next.value, 0);
      if (this.queue.size >= MAX_WAITING) await new Promise<void>((resolve) => this.#room.push(resolve));
    }
    if (--this.#left === 0) this.queue.end();
  }

  #isNew({ source, id }: Envelope): boolean {
    const name = `${source} ${id}`;
    if (this.#latest.includes(name)) return false;
    this.#latest.push(name);
    if (this.#latest.length > REMEMBERED) this.#latest.shift();
    return true;
  }

  #wake(): void {
    const room = this.#room;
    if (room.length === 0 || this.queue.size >= MAX_WAITING) return;
    this.#room = [];
    for (const resolve of room) resolve();
  }

  #fail(error: ParleyError): void {
    this.queue.fail(error);
    this.#leaveAll();
  }

  #leaveAll(): void {
    for (const source of this.#sources) leave(source);
    const room = this.#room;
    this.#room = [];
    for (const resolve of room) resolve();
  }
}

/** What it throws then is nobody's any more. */
function leave(source: AsyncIterator<Envelope>): void {
  source.return?.().catch(() => {});
}
