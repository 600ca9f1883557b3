import {
  type AnnouncedOperation,
  answerHello,
  type CallKind,
  type Context,
  createCall,
  createEnvelope,
  type Handler,
  HELLO,
  type Hop,
  helloData,
  type Runtime,
  readHello,
} from "../../transport/index.ts";

/** What is asked anew when an operation is not found: a relay's peers change. */
const STALE_MS = 5_000;

interface Operations {
  readonly byName: Readonly<Record<string, AnnouncedOperation>>;
  readonly readAt: number;
}

/** An operation as a caller without CloudEvents means it. */
export interface NamedOperation {
  readonly type: string;
  readonly kind: CallKind;
}

/** What the agent behind a handler says of itself. Asked for once, for the sake of callers who do not say the kind of their call. */
export class Description {
  readonly #handler: Handler;
  readonly #hop: Hop;
  readonly #source: string;
  readonly #runtime: Runtime;
  #operations: Operations | undefined;
  #refreshing: Promise<Operations> | undefined;

  constructor(handler: Handler, hop: Hop, source: string, runtime: Runtime) {
    this.#handler = handler;
    this.#hop = hop;
    this.#source = source;
    this.#runtime = runtime;
  }

  /** The agent's answer to a handshake of the one who asks. @throws ParleyError what the handler threw */
  async read(context: Context): Promise<unknown> {
    const message = createEnvelope(
      { type: HELLO, kind: "request", source: this.#source, data: helloData(this.#hop) },
      this.#runtime,
    );
    const call = createCall({ kind: "request", message, context }, this.#runtime);
    try {
      const { data } = await answerHello(call, this.#handler, this.#hop, this.#source);
      return data;
    } finally {
      call.settle();
    }
  }

  /**
   * The operation that a path or event means: as it is announced, in its highest version where none is given. One that is not announced is
   * a `request`: the handler then says that there is none.
   * @param contextOf of the one who asks
   */
  operation(named: string, contextOf: () => Context): NamedOperation | Promise<NamedOperation> {
    const known = this.#operations;
    const found = known && operationIn(known.byName, named);
    if (found) return found;
    if (known && this.#runtime.now() - known.readAt < STALE_MS) return { type: named, kind: "request" };
    return this.#refresh(contextOf).then(
      ({ byName }) => operationIn(byName, named) ?? { type: named, kind: "request" },
    );
  }

  /** Many who ask at a time share one question; that the one who asked it was turned away says nothing of the others. */
  #refresh(contextOf: () => Context): Promise<Operations> {
    if (this.#refreshing) return this.#refreshing.catch(() => this.#ask(contextOf()));
    this.#refreshing = this.#ask(contextOf()).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #ask(context: Context): Promise<Operations> {
    const { operations = {} } = readHello(await this.read(context));
    this.#operations = { byName: operations, readAt: this.#runtime.now() };
    return this.#operations;
  }
}

function operationIn(byName: Readonly<Record<string, AnnouncedOperation>>, named: string): NamedOperation | undefined {
  const [, name = named, version] = /^(.+)\.v(\d+)$/.exec(named) ?? [];
  const found = Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (!found) return undefined;
  if (version !== undefined) return { type: named, kind: found.kind };
  const highest = found.versions.at(-1);
  return highest === undefined ? undefined : { type: `${name}.v${highest}`, kind: found.kind };
}
