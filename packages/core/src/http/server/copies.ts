import type { IncomingHttpHeaders } from "node:http";
import { type Envelope, ParleyError } from "../../transport/index.ts";

/** Attributes by which a message is told from others, and the headers that repeat them: where a request says one twice, both must be the same. */
const identity = (["id", "type", "kind", "source", "subject"] as const).map((name) => [name, `ce-${name}`] as const);

/**
 * Holds an event against the copies of its attributes in the path and in `ce-` headers: whoever routes or filters by those must not be
 * told something else than the handler.
 * @throws ParleyError `invalid_argument` when a copy of its identity differs.
 */
export function checkCopies(message: Envelope, type: string | undefined, headers: IncomingHttpHeaders): void {
  if (type !== undefined && type !== message.type) throw differs("the path", "type", type, message.type);
  for (const [name, header] of identity) {
    const copy = headers[header];
    if (copy !== undefined && copy !== message[name]) throw differs(`the header ${header}`, name, copy, message[name]);
  }
}

function differs(where: string, name: string, copy: unknown, value: unknown): ParleyError {
  const [said, is] = [copy, value].map((one) => JSON.stringify(one)?.slice(0, 80) ?? "absent");
  return new ParleyError(
    "invalid_argument",
    `${where} says ${name} ${said}, the event itself ${is}; leave one out, or make them equal`,
    {
      outcome: "not-sent",
    },
  );
}

/** W3C Trace Context, 3.2. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The event with the trace of the request's own headers, if there is one: meshes on the way continue the trace there. */
export function withTrace(message: Envelope, headers: IncomingHttpHeaders): Envelope {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== "string" || !TRACEPARENT.test(traceparent)) return message;
  const { tracestate: _replaced, ...rest } = message;
  return {
    ...rest,
    traceparent,
    ...(typeof tracestate === "string" && isVisible(tracestate) ? { tracestate } : {}),
  } as Envelope;
}

/** What an attribute can hold. */
function isVisible(value: string): boolean {
  return /^[!#$&-[\]-~]{1,512}$/.test(value);
}
