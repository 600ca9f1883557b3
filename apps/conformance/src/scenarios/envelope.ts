import type { Scenario } from "../scenario.ts";
import { deepFrame } from "./deep.ts";
import { collect, exactOrRefused, refusedHere, withoutHop } from "./expect.ts";

const request = { kinds: ["request"] } as const;

/** ENV: what a message is made of arrives as it was. */
export const envelopeScenarios: readonly Scenario[] = [
  {
    id: "ENV-01",
    group: "ENV",
    level: "must",
    title: "An envelope with every optional attribute set arrives deep-equal; only attributes of the hop may differ.",
    needs: request,
    mutants: ["drops-attribute"],
    async run(env) {
      const connection = await env.connect();
      const made = env.calls.make(connection, "request", "echo", {
        data: { text: "hello", list: [1, [2, { three: 3 }]], nothing: null, yes: true },
        attributes: { ...everyAttribute, acme: "extension", acmeint: 2 ** 31 - 1, acmebool: false },
        timeoutMs: 5 * env.t,
      });
      const reply = await env.within("the reply", env.calls.message(made));
      const called = await env.called(made.id);
      env.handler.equal("the message as it arrived", withoutHop(called.message), withoutHop(made.opener));
      env.handler.ok("a deadline to have arrived with it", (called.remainingMs ?? 0) > 0, called.remainingMs);
      env.caller.equal("the data that came back", reply.data, made.opener.data);
    },
  },
  {
    id: "ENV-02",
    group: "ENV",
    level: "must",
    title: "Absent attributes stay absent; null stays null, and an empty string, list or zero stays what it is.",
    needs: request,
    mutants: ["fills-defaults"],
    async run(env) {
      const connection = await env.connect();
      for (const data of [undefined, null, "", 0, false, [], {}, { a: null, b: "", c: [], d: 0 }]) {
        const made = env.calls.make(connection, "request", "echo", { data });
        const reply = await env.within("the reply", env.calls.message(made));
        const { message } = await env.called(made.id);
        env.handler.equal("a minimal message as it arrived", withoutHop(message), withoutHop(made.opener));
        if (data !== undefined) env.caller.equal("the data that came back", reply.data, data);
      }
      if (env.manifest.kinds["server-stream"] === "none") return;
      const items = [null, "", 0, false, [], {}, "last"];
      const made = env.calls.make(connection, "server-stream", "list", { data: items });
      const output = await env.within("the acceptance of the stream", env.calls.output(made));
      env.caller.equal("the items that came back", await env.within("the end of the stream", collect(output)), items);
    },
  },
  {
    id: "ENV-03",
    group: "ENV",
    level: "must",
    title:
      "64 attributes, and values that are empty, padded, multi-line, beyond ASCII or 4 KiB long, arrive exactly or are refused at the sender with nothing sent; none becomes a second attribute.",
    needs: request,
    mutants: ["raw-attribute"],
    limit: 20,
    async run(env) {
      const connection = await env.connect();
      const many = Object.fromEntries(
        Array.from({ length: 64 }, (_, at) => [`acme${at}`, `value-${at}:${env.random.hex(8)}`]),
      );
      await exactOrRefused(env, "64 attributes", connection, () =>
        env.calls.make(connection, "request", "echo", { data: 1, attributes: many }),
      );
      const fewer = Object.fromEntries(Object.entries(many).slice(0, 32));
      const made = env.calls.make(connection, "request", "echo", { data: 1, attributes: fewer });
      await env.within("the reply to 32 attributes", env.calls.message(made));
      env.handler.equal(
        "32 attributes as they arrived",
        withoutHop((await env.called(made.id)).message),
        withoutHop(made.opener),
      );
      for (const [name, value] of Object.entries(awkwardValues)) {
        await exactOrRefused(env, `the attribute value "${name}"`, connection, () =>
          env.calls.make(connection, "request", "echo", { data: name, attributes: { acme: value } }),
        );
        const reply = await env.within(
          `data "${name}"`,
          env.calls.request(connection, "echo", { data: { [value]: value } }),
        );
        env.caller.equal(`data "${name}" that came back`, reply.data, { [value]: value });
      }
      const smuggled = env
        .events(undefined, "called")
        .filter(({ detail }) => "acmeevil" in (detail as { message: object }).message);
      env.handler.equal("messages with a smuggled attribute", smuggled.length, 0);
    },
  },
  {
    id: "ENV-04",
    group: "ENV",
    level: "must",
    title: "Unknown attributes are ignored by the receiver and forwarded unchanged by a relay.",
    needs: { ...request, serving: ["relay"] },
    mutants: ["strips-unknown"],
    async run(env) {
      const unknown = { futurething: "a;b=c", futurenumber: -7, futureflag: true, parleyx: "1" };
      const direct = await env.connect();
      const relayed = await env.connect({ url: await env.listen({ relay: true }).then((url) => env.tap.through(url)) });
      for (const [way, connection] of Object.entries({ direct, relayed })) {
        const made = env.calls.make(connection, "request", "echo", {
          data: { way },
          attributes: { ...everyAttribute, ...unknown },
        });
        const reply = await env.within(`the reply, ${way}`, env.calls.message(made));
        env.caller.equal(`the data that came back, ${way}`, reply.data, { way });
        const { message } = await env.called(made.id);
        env.handler.equal(`the message as it arrived, ${way}`, withoutHop(message), withoutHop(made.opener));
      }
    },
  },
  {
    id: "ENV-05",
    group: "ENV",
    level: "must",
    title:
      "Text of any script and composition arrives code unit by code unit; a lone surrogate is refused at the sender.",
    needs: request,
    mutants: ["replaces-characters"],
    async run(env) {
      const connection = await env.connect();
      for (const [name, text] of Object.entries(texts)) {
        const data = { text, [text]: [text] };
        const made = env.calls.make(connection, "request", "echo", { data });
        const reply = await env.within(`the reply to ${name}`, env.calls.message(made));
        env.handler.equal(`${name} as it arrived`, (await env.called(made.id)).message.data, data);
        env.caller.equal(`${name} as it came back`, reply.data, data);
      }
      for (const [name, data] of Object.entries({
        value: "a\ud800b",
        key: { "\udc00": 1 },
        nested: [[{ deep: "\ud83d" }]],
      })) {
        await refusedHere(env, `a lone surrogate (${name})`, () =>
          env.calls.make(connection, "request", "echo", { data }),
        );
      }
      await env.sentinel(connection);
    },
  },
  {
    id: "ENV-06",
    group: "ENV",
    level: "must",
    title:
      "Numbers arrive exactly, -0 and the extremes of doubles included; what JSON cannot hold is refused at the sender, never rounded.",
    needs: request,
    mutants: ["rounds-numbers"],
    async run(env) {
      const connection = await env.connect();
      const numbers = [2 ** 53 - 1, -(2 ** 53 - 1), -0, 1e308, 5e-324, 0.1, 1 / 3, 123456789012345680000, 1e21, -1e-7];
      for (const number of numbers) {
        const made = env.calls.make(connection, "request", "echo", { data: { number, list: [number] } });
        const reply = await env.within(`the reply to ${number}`, env.calls.message(made));
        env.handler.equal(`${number} as it arrived`, (await env.called(made.id)).message.data, made.opener.data);
        env.caller.equal(`${number} as it came back`, reply.data, made.opener.data);
      }
      for (const number of [2n ** 53n + 1n, 2n ** 64n]) {
        await exactOrRefused(env, `the integer ${number}`, connection, () =>
          env.calls.make(connection, "request", "echo", { data: { number } }),
        );
      }
      for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        await refusedHere(env, `${number}`, () => env.calls.make(connection, "request", "echo", { data: { number } }));
      }
      await env.sentinel(connection);
    },
  },
  {
    id: "ENV-07",
    group: "ENV",
    level: "must",
    title:
      "Ids of 1 and of 256 characters arrive unchanged, 257 are refused; nesting of 64 passes, 10 000 is refused on either side without a crash.",
    needs: request,
    mutants: ["rewrites-id", "recursive-parser"],
    async run(env) {
      const connection = await env.connect();
      for (const id of [env.random.pick([..."abcXYZ019"]), env.random.hex(256)]) {
        const made = env.calls.make(connection, "request", "echo", { data: id.length, attributes: { id } });
        const reply = await env.within(`the reply to an id of ${id.length}`, env.calls.message(made));
        env.handler.equal("the id as it arrived", (await env.called(id)).message.id, id);
        env.caller.ok("the reply to name the id it answers", reply.id === `${id}.r` || reply.inreplyto === id, reply);
      }
      await refusedHere(env, "an id of 257 characters", () =>
        env.calls.make(connection, "request", "echo", { attributes: { id: env.random.hex(257) } }),
      );
      const made = env.calls.make(connection, "request", "echo", { data: nested(64) });
      const reply = await env.within("the reply to 64 levels", env.calls.message(made));
      env.caller.equal("64 levels as they came back", reply.data, nested(64));
      await refusedHere(env, "10 000 levels", () =>
        env.calls.make(connection, "request", "echo", { data: nested(10_000) }),
      );
      await deepFrame(env);
      env.processes.equal("the end of the serving process", env.serving.exited, undefined);
      const fresh = await env.connect();
      await env.sentinel(fresh);
    },
  },
  {
    id: "ENV-08",
    group: "ENV",
    level: "must",
    title:
      "Keys such as __proto__ and constructor arrive as data of their own; Object.prototype stays as it was in both processes.",
    needs: { ...request, serving: ["snapshot"] },
    mutants: ["merges-prototype"],
    async run(env) {
      const connection = await env.connect();
      const before = { caller: protoKeys(), serving: (await env.serving.snapshot()).prototype };
      const text =
        '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"toString":1,"list":[{"__proto__":[1]}]}';
      const made = env.calls.make(connection, "request", "echo", { data: JSON.parse(text) });
      const reply = await env.within("the reply", env.calls.message(made));
      env.handler.equal("the data as it arrived", (await env.called(made.id)).message.data, JSON.parse(text));
      env.caller.equal("the data as it came back", reply.data, JSON.parse(text));
      env.caller.equal("({}).admin here", ({} as { admin?: unknown }).admin, undefined);
      env.processes.equal("keys of Object.prototype here", protoKeys(), before.caller);
      env.processes.equal(
        "keys of Object.prototype at the fixture",
        (await env.serving.snapshot()).prototype,
        before.serving,
      );
      await refusedHere(env, "an attribute named __proto__", () =>
        env.calls.make(connection, "request", "echo", { attributes: JSON.parse('{"__proto__":"x"}') }),
      );
    },
  },
];

const everyAttribute = {
  datacontenttype: "application/json",
  dataschema: "https://example.com/schemas/echo/1.2.3",
  subject: "agents/7/status",
  correlationid: "flow-1",
  causationid: "cause-1",
  replyto: "/inboxes/caller",
  target: "/agents/fixture",
  expirytime: "2099-01-01T00:00:00.000Z",
  idempotencykey: "key:1",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=1,other=2",
  partitionkey: "p-1",
} as const;

const awkwardValues = {
  empty: "",
  "leading space": " x",
  "trailing space": "x ",
  colon: ":",
  "colon and space": "a: b",
  "CR LF": "x\r\nacmeevil: 1\r\nce-acmeevil: 1",
  LF: "x\nacmeevil: 1",
  snowman: "\u2603",
  emoji: "\u{1F600}",
  quotes: '"x"',
  percent: "100%25",
  "4 KiB": "k".repeat(4096),
} as const;

const texts = {
  NFC: "caf\u00e9",
  NFD: "cafe\u0301",
  astral: "\u{1F608}\u{10FFFF}",
  "U+0000": "a\u0000b",
  "U+2028 and U+2029": "a\u2028b\u2029c",
  "right to left": "\u05e9\u05dc\u05d5\u05dd \u202eabc",
  "leading BOM": "\ufeffbom",
  controls: "\u0001\u001f\u007f\u0085",
} as const;

function nested(levels: number): unknown {
  let value: unknown = "deep";
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

function protoKeys(): readonly string[] {
  return Reflect.ownKeys(Object.prototype).map(String);
}
