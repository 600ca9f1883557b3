import { type Call, type Connection, derive, type Envelope, type Invoke } from "@parley/core/transport";

/**
 * The connection with topics of its own: whatever else is published on the same broker stays out of a run, and the run out of the rest.
 * Callers see the topics that they name. A topic that begins with `$` still does, since wildcards pass over those.
 * @param run a word that nobody else has.
 */
export function isolated(connection: Connection, run: string): Connection {
  return {
    call: (call) => isolatedCall(connection.call, call, run),
    get hello() {
      return connection.hello;
    },
    get state() {
      return connection.state;
    },
    closed: connection.closed,
    stats: () => connection.stats(),
    ping: () => connection.ping(),
    close: (options) => connection.close(options),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

async function isolatedCall(next: Invoke, call: Call, run: string): ReturnType<Invoke> {
  const { kind, message } = call;
  if (kind !== "publish" && kind !== "subscribe") return next(call);
  const { subject } = message;
  // What is no topic is for the wire to refuse, and the broker's own names are not ours to change.
  if (typeof subject !== "string" || subject === "" || subject.startsWith("$share/")) return next(call);
  const reply = await next(derive(call, { message: { ...message, subject: inside(subject, run) } }));
  return reply.output ? { ...reply, output: outside(reply.output, run) } : reply;
}

function inside(subject: string, run: string): string {
  return subject.startsWith("$") ? `$${run}${subject.slice(1)}` : `${run}/${subject}`;
}

async function* outside(items: AsyncIterable<Envelope>, run: string): AsyncGenerator<Envelope, void, undefined> {
  for await (const item of items) {
    const { subject = "" } = item;
    if (subject.startsWith(`${run}/`)) yield { ...item, subject: subject.slice(run.length + 1) };
    else if (subject.startsWith(`$${run}`)) yield { ...item, subject: `$${subject.slice(run.length + 1)}` };
    else yield item;
  }
}
