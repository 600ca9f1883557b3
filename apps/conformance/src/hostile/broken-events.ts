import type { Random } from "../random.ts";

type Members = Record<string, unknown>;

/** One way to break an event, each of which makes it invalid whatever the rest of it says. */
type Breaking = (event: Members, random: Random) => unknown;

const without =
  (name: string): Breaking =>
  (event) => {
    const { [name]: _, ...rest } = event;
    return rest;
  };

const having =
  (name: string, ...values: readonly unknown[]): Breaking =>
  (event, random) => ({ ...event, [name]: random.pick(values) });

/** A JSON text in the place of the whole event. */
const text =
  (make: (json: string) => string): Breaking =>
  (event) =>
    new Raw(make(JSON.stringify(event)));

class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const breakings: readonly Breaking[] = [
  ...["specversion", "id", "source", "type"].map(without),
  ...["specversion", "id", "source", "type"].map((name) => having(name, null, 1, true, {}, ["x"], "")),
  having("specversion", "0.3", "2.0", "1"),
  having("id", "x".repeat(257), "a\u0000b", "line\nbreak"),
  having("type", "x\ty", "\u202eevil"),
  having("kind", "shout", "REQUEST", 5, {}),
  having("time", "yesterday", "2026-13-45T00:00:00Z", 5),
  having("Upper", "x"),
  having("with-dash", "x"),
  having("with_underscore", "x"),
  having("a".repeat(21), "x"),
  having("own", {}, ["x"], 1.5, 2 ** 31, -(2 ** 31) - 1),
  having("timeoutms", "soon", 1.5, {}),
  having("data_base64", "***", 5, "a"),
  (event) => ({ ...event, data_base64: "AA==" }),
  (event) => ({ ...event, data: JSON.parse(`${"[".repeat(80)}${"]".repeat(80)}`) as unknown }),
  (event) => ({ ...event, ...Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`x${at}`, "y"])) }),
  (event) => ({ ...event, ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`x${at}`, "y".repeat(500)])) }),
  text((json) => json.replace('"id":', '"id":"twice","id":')),
  text((json) => json.replace('"type":', '"type":"conformance.nothing.v1","type":')),
  text((json) => json.replace(/^\{/, '{"__proto__":{"admin":true},')),
  text((json) => `${json}${json}`),
  text((json) => `${json},`),
  text((json) => `[${json}`),
  text((json) => json.replaceAll('"', "'")),
  () => [],
  () => "event",
  () => 5,
  () => true,
  () => null,
];

/** An event that no receiver may take: a valid one with something in it that the format does not allow. */
export function brokenEvent(event: Members, random: Random): Buffer {
  const broken = random.pick(breakings)(event, random);
  return Buffer.from(broken instanceof Raw ? broken.text : (JSON.stringify(broken) ?? ""));
}

/** An event of which some bytes are others now. It may be valid still. */
export function alteredEvent(event: Members, random: Random): Buffer {
  const bytes = Buffer.from(JSON.stringify(event));
  for (let left = 1 + random.int(3); left > 0; left--) bytes[random.int(bytes.length)] = random.int(256);
  return bytes;
}

/** What is not as an event must be, when a handler got it as one. */
export function unsound(message: Members): string | undefined {
  const text = (name: string): boolean => typeof message[name] === "string" && message[name] !== "";
  if (message["specversion"] !== "1.0") return "specversion";
  return ["id", "source", "type"].find((name) => !text(name));
}
