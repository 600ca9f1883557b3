import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Call, type Envelope, type Handler, HELLO, ParleyError, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import { described, echo, item, pair, send } from "../../test/pair.ts";

const run = promisify(execFile);

/** What curl prints, and the exit code. */
async function curl(
  ...args: readonly string[]
): Promise<{ readonly out: string; readonly status: string; readonly exit: number }> {
  const { stdout, code = 0 } = (await run("curl", ["-s", "-w", "\n%{http_code} %{content_type}", ...args]).catch(
    (error: { readonly stdout: string; readonly code: number }) => error as { stdout: string; code: number },
  )) as { readonly stdout: string; readonly code?: number };
  const last = stdout.lastIndexOf("\n");
  return { out: stdout.slice(0, last), status: stdout.slice(last + 1), exit: code };
}

const operations = {
  "text.summarize": "request",
  "text.tokens": "server-stream",
  "text.log": "notify",
  "text.status": "publish",
  "text.sum": "client-stream",
} as const;

const agent: Handler = (one) => {
  const { message, kind } = one;
  if (message.type === HELLO) return described(one, operations);
  if (message.type === "text.nothing.v1") throw new ParleyError("unimplemented", "there is no text.nothing");
  switch (kind) {
    case "request":
      return answer(one);
    case "server-stream":
      return { output: tokens(one) };
    default:
      return {};
  }
};

function answer({ message }: Call): { readonly message: Envelope } {
  const { text } = (message.data ?? {}) as { readonly text?: string };
  switch (text) {
    case undefined:
      return { message: reply(message, "/agent") };
    case "null":
      return { message: reply(message, "/agent", null) };
    case "bytes":
      return { message: reply(message, "/agent", Uint8Array.of(104, 105)) };
    case "text":
      return { message: { ...reply(message, "/agent", "<p>hi</p>"), datacontenttype: "text/html" } };
    case "busy":
      throw new ParleyError("resource_exhausted", "too much of it", { retryAfterMs: 1_500, details: { left: 0 } });
    case "who":
      throw new ParleyError("unauthenticated", "who are you?");
    default:
      return { message: reply(message, "/agent", { summary: text.slice(0, 4) }) };
  }
}

async function* tokens(one: Call): AsyncGenerator<Envelope> {
  const { prompt } = one.message.data as { readonly prompt: string };
  let seq = 0;
  for (const token of prompt.split(" ")) {
    if (token === "fail") throw new ParleyError("data_loss", "lost it");
    yield item(one, ++seq, { token });
    await new Promise((resolve) => setTimeout(resolve, token === "wait" ? 30 : 0));
  }
}

test("curl --json calls an operation by its path", async () => {
  await using it = await pair(agent);
  const { href } = it.url;
  expect(await curl("--json", '{"text":"summarize me"}', `${href}text.summarize.v1`)).toMatchObject({
    out: '{"summary":"summ"}',
    status: "200 application/json",
  });
  expect(await curl("--json", '{"text":"summarize me"}', `${href}text.summarize`)).toMatchObject({
    out: '{"summary":"summ"}',
    status: "200 application/json",
  });
  expect(await curl("--json", '{"prompt":"a b c"}', `${href}text.tokens.v1`)).toMatchObject({
    out: '{"token":"a"}\n{"token":"b"}\n{"token":"c"}\n',
    status: "200 application/x-ndjson",
    exit: 0,
  });
  expect((await curl("--json", "{}", `${href}text.log.v1`)).status).toBe("202 ");
  expect((await curl("-d", "{}", `${href}text.summarize.v1`)).status).toBe("415 application/problem+json");
});

test("a plain caller gets no data, null, bytes and text as what they are", async () => {
  await using it = await pair(agent);
  const post = (data: unknown) => curl("--json", JSON.stringify(data), `${it.url.href}text.summarize.v1`);
  expect(await post({})).toMatchObject({ out: "", status: "204 " });
  expect(await post({ text: "null" })).toMatchObject({ out: "null", status: "200 application/json" });
  expect(await post({ text: "bytes" })).toMatchObject({ out: "hi", status: "200 application/octet-stream" });
  expect(await post({ text: "text" })).toMatchObject({ out: "<p>hi</p>", status: "200 text/html" });
});

test("a plain caller gets errors as problems, with the headers that belong to them", async () => {
  await using it = await pair(agent);
  const post = (path: string, body: string) =>
    send(it.url, { path, body, headers: { "content-type": "application/json" } });
  const busy = await post("/text.summarize.v1", '{"text":"busy"}');
  expect(busy.status).toBe(429);
  expect(busy.headers).toMatchObject({ "content-type": "application/problem+json", "retry-after": "2" });
  expect(JSON.parse(busy.text)).toEqual({
    title: "Too Many Requests",
    status: 429,
    detail: "too much of it",
    code: "resource_exhausted",
    outcome: "rejected",
    details: { left: 0 },
    retryAfterMs: 1_500,
  });
  expect((await post("/text.summarize.v1", '{"text":"who"}')).headers["www-authenticate"]).toBe("Bearer");
  expect(await post("/text.nothing.v1", "{}")).toMatchObject({ status: 501 });
  expect(await post("/text.summarize.v1", "{")).toMatchObject({ status: 400, text: expect.not.stringContaining("{{") });
  expect(await post("/text.sum.v1", "{}")).toMatchObject({
    status: 400,
    text: expect.stringContaining("application/cloudevents+ndjson"),
  });
});

test("a plain stream that fails is cut, so that nobody takes it for whole", async () => {
  await using it = await pair(agent);
  const { out, exit } = await curl("--json", '{"prompt":"a wait fail"}', `${it.url.href}text.tokens.v1`);
  const lines = out.trim().split("\n");
  expect(lines.slice(0, 2)).toEqual(['{"token":"a"}', '{"token":"wait"}']);
  expect(JSON.parse(lines[2] ?? "")).toMatchObject({ code: "data_loss", detail: "lost it" });
  // "Transferred a partial file": the end of the chunks is missing.
  expect(exit).toBe(18);
});

test("the handler is told that a plain caller is foreign, and gets a whole envelope", async () => {
  const seen: Call[] = [];
  await using it = await pair((one) => {
    if (one.message.type !== HELLO) seen.push(one);
    return agent(one);
  });
  await send(it.url, {
    path: "/text.status.v1?subject=agents%2Fa%2Fstatus",
    body: '{"state":"idle"}',
    headers: { "content-type": "application/json; charset=utf-8" },
  });
  expect(seen[0]?.message).toMatchObject({
    specversion: "1.0",
    parley: "1",
    kind: "publish",
    type: "text.status.v1",
    subject: "agents/a/status",
    data: { state: "idle" },
    id: expect.any(String),
  });
  expect(seen[0]?.context.foreign).toBe(true);
});

const structured = {
  specversion: "1.0",
  id: "e1",
  source: "urn:test",
  type: "text.summarize.v1",
  data: { text: "hello" },
};

test("a structured event is answered by one, of our kind or any", async () => {
  await using it = await pair(agent);
  for (const extra of [{}, { parley: "1", kind: "request" }]) {
    const answer = await send(it.url, {
      path: "/text.summarize.v1",
      headers: { "content-type": "Application/CloudEvents+JSON; charset=UTF-8" },
      body: JSON.stringify({ ...structured, ...extra }),
    });
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": "application/cloudevents+json" } });
    expect(JSON.parse(answer.text)).toMatchObject({
      specversion: "1.0",
      kind: "reply",
      id: "e1.r",
      data: { summary: "hell" },
    });
  }
  const stream = await send(it.url, {
    path: "/text.tokens.v1",
    headers: { "content-type": "application/cloudevents+json" },
    body: JSON.stringify({ ...structured, type: "text.tokens.v1", data: { prompt: "a b fail" } }),
  });
  expect(stream.headers["content-type"]).toBe("application/cloudevents+ndjson");
  expect(
    stream.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { kind: "item", seq: 1, data: { token: "a" } },
    { kind: "item", seq: 2, data: { token: "b" } },
    { kind: "error", seq: 3, data: { code: "data_loss" } },
  ]);
});

test("a binary event is answered by one, errors are problems", async () => {
  await using it = await pair(agent);
  const headers = {
    "ce-specversion": "1.0",
    "ce-id": "e%201",
    "ce-source": "urn:test",
    "ce-type": "text.summarize.v1",
    "ce-timeoutms": "5000",
  };
  const ok = await send(it.url, {
    path: "/text.summarize.v1",
    headers: { ...headers, "ce-id": "e1", "content-type": "application/json" },
    body: '{"text":"hello"}',
  });
  expect(ok).toMatchObject({
    status: 200,
    text: '{"summary":"hell"}',
    headers: { "content-type": "application/json", "ce-kind": "reply", "ce-id": "e1.r", "ce-specversion": "1.0" },
  });
  // Curl says what kind of body it sends even if nobody asked; the event's headers decide.
  const out = await curl(
    "-d",
    '{"text":"bytes"}',
    ...Object.entries({ ...headers, "ce-id": "e2", "content-type": "application/json" }).flatMap(([name, value]) => [
      "-H",
      `${name}: ${value}`,
    ]),
    `${it.url.href}text.summarize.v1`,
  );
  expect(out).toMatchObject({ out: "hi", status: "200 application/octet-stream" });
  expect(
    await send(it.url, {
      path: "/text.summarize.v1",
      headers: { ...headers, "content-type": "application/json" },
      body: "{}",
    }),
  ).toMatchObject({ status: 400 });
  expect(
    await send(it.url, { path: "/text.summarize.v1", headers: { ...headers, "ce-id": "e3" }, body: '{"text":"who"}' }),
  ).toMatchObject({
    status: 401,
    headers: { "content-type": "application/problem+json", "www-authenticate": "Bearer" },
  });
});

test.each<[string, Record<string, string | string[]>, string]>([
  ["a repeated attribute", { "ce-id": ["a", "b"] }, "comes twice"],
  ["another type than the path", { "ce-type": "text.other.v1" }, "the path"],
  ["data in a header", { "ce-data": "x" }, "names no attribute"],
  ["a misleading name", { "ce-constructor": "x" }, "constructor"],
  ["a name that is no attribute's", { "ce-__proto__": "x" }, "__proto__"],
  ["broken percent-encoding", { "ce-id": "%ff" }, "percent"],
  ["another version", { "ce-specversion": "2.0" }, "specversion"],
])("a binary event with %s is refused", async (_name, headers, text) => {
  let calls = 0;
  await using it = await pair((one) => {
    if (one.message.type !== HELLO) calls++;
    return agent(one);
  });
  const answer = await send(it.url, {
    path: "/text.summarize.v1",
    headers: {
      "ce-specversion": "1.0",
      "ce-id": "e1",
      "ce-source": "urn:test",
      "ce-type": "text.summarize.v1",
      ...headers,
    },
    body: "{}",
  });
  expect(answer).toMatchObject({ status: 400, text: expect.stringContaining(text) });
  expect(calls).toBe(0);
});

test.each([
  ["ce-id", "other"],
  ["ce-type", "text.other.v1"],
  ["ce-kind", "notify"],
  ["ce-source", "urn:other"],
  ["ce-subject", "other"],
])("a structured event whose copy in %s differs is refused", async (name, value) => {
  await using it = await pair(agent);
  const headers = { "content-type": "application/cloudevents+json" };
  const body = JSON.stringify({ ...structured, parley: "1", kind: "request" });
  expect(
    await send(it.url, { path: "/text.summarize.v1", headers: { ...headers, [name]: value }, body }),
  ).toMatchObject({ status: 400, text: expect.stringContaining(name) });
  expect(
    await send(it.url, {
      path: "/text.summarize.v1",
      headers: { ...headers, "ce-id": "e1", "ce-type": "text.summarize.v1" },
      body,
    }),
  ).toMatchObject({ status: 200 });
});

test("the trace in the request's own headers wins", async () => {
  const seen: Envelope[] = [];
  await using it = await pair((one) => {
    seen.push(one.message);
    return echo()(one);
  });
  const [own, native] = ["1", "2"].map((digit) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`);
  const post = (headers: Record<string, string>) =>
    send(it.url, {
      path: "/text.summarize.v1",
      headers: { "content-type": "application/cloudevents+json", ...headers },
      body: JSON.stringify({ ...structured, parley: "1", kind: "request", traceparent: own, tracestate: "a=1" }),
    });
  seen.length = 0;
  await post({});
  await post({ traceparent: native ?? "", tracestate: "b=2" });
  await post({ traceparent: native ?? "" });
  await post({ traceparent: "nonsense" });
  expect(seen.map(({ traceparent, tracestate }) => [traceparent, tracestate])).toEqual([
    [own, "a=1"],
    [native, "b=2"],
    [native, undefined],
    [own, "a=1"],
  ]);
});

test("a batch is answered line by line, each when it is ready, and one bad event spoils no other", async () => {
  await using it = await pair(async (one) => {
    if (one.message.data === "slow") await new Promise((resolve) => setTimeout(resolve, 50));
    return agent(one);
  });
  const event = (id: string, extra: object) => ({
    specversion: "1.0",
    parley: "1",
    kind: "request",
    id,
    source: "urn:test",
    type: "text.summarize.v1",
    ...extra,
  });
  const body = JSON.stringify([
    event("slow", { data: "slow" }),
    event("ok", { data: { text: "hello" } }),
    { specversion: "1.0", id: "bad", type: "text.summarize.v1" },
    event("log", { kind: "notify", type: "text.log.v1" }),
    event("stream", { kind: "server-stream", type: "text.tokens.v1" }),
    "no event",
    event("bytes", { data_base64: "AAE=" }),
    { ...event("foreign", { data: { text: "there" } }), parley: undefined, kind: undefined },
  ]);
  const { status, headers, text } = await send(it.url, {
    headers: { "content-type": "application/cloudevents-batch+json" },
    body,
  });
  expect([status, headers["content-type"]]).toEqual([200, "application/cloudevents+ndjson"]);
  const answers = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { inreplyto: string; kind: string; data?: unknown });
  expect(answers.at(-1)).toMatchObject({ inreplyto: "slow", kind: "reply" });
  const byOpener = Object.fromEntries(answers.map((one) => [one.inreplyto, one]));
  expect(byOpener).toMatchObject({
    ok: { kind: "reply", data: { summary: "hell" } },
    bad: { kind: "error", data: { code: "invalid_argument" } },
    log: { kind: "reply" },
    stream: { kind: "error", data: { code: "invalid_argument" } },
    bytes: { kind: "reply" },
    foreign: { kind: "reply", data: { summary: "ther" } },
  });
  expect(answers).toHaveLength(8);
});

test("a batch can have an event on every line, too", async () => {
  await using it = await pair(agent);
  const event = (id: string) =>
    JSON.stringify({
      specversion: "1.0",
      parley: "1",
      kind: "request",
      id,
      source: "urn:test",
      type: "text.summarize.v1",
      data: { text: id },
    });
  const headers = { "content-type": "application/cloudevents+ndjson" };
  const { status, text } = await send(it.url, { headers, body: `${event("first")}\r\n\nnonsense\n${event("last")}\n` });
  expect(status).toBe(200);
  expect(
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { kind: "reply", inreplyto: "first", data: { summary: "firs" } },
    { kind: "error", data: { code: "invalid_argument" } },
    { kind: "reply", inreplyto: "last" },
  ]);
});

test.each<[string, string, number]>([
  ["no events", "[]", 200],
  ["256 events", JSON.stringify(new Array(256).fill(0)), 200],
  ["257 events", JSON.stringify(new Array(257).fill(0)), 429],
  ["a batch in a batch", "[[]]", 200],
  ["no array", "{}", 400],
  ["nesting without end", "[".repeat(100_000), 400],
])("a batch of %s gets an answer", async (_name, body, status) => {
  await using it = await pair(agent);
  const answer = await send(it.url, { headers: { "content-type": "application/cloudevents-batch+json" }, body });
  expect(answer.status).toBe(status);
  if (status === 200)
    expect(
      answer.text
        .split("\n")
        .filter((line) => line !== "")
        .every((line) => JSON.parse(line).kind === "error"),
    ).toBe(true);
});

test.each<[string, string | undefined, number]>([
  ["no content type", undefined, 415],
  ["text/plain", "text/plain", 415],
  ["a form", "application/x-www-form-urlencoded", 415],
  ["a form with files", "multipart/form-data; boundary=x", 415],
  ["another format of CloudEvents", "application/cloudevents+protobuf", 415],
  ["a batch in another format", "application/cloudevents-batch+avro", 415],
  ["a batch at an operation", "application/cloudevents-batch+json", 400],
])("a body as %s is refused", async (_name, type, status) => {
  await using it = await pair(agent);
  const answer = await send(it.url, {
    path: "/text.summarize.v1",
    headers: type === undefined ? {} : { "content-type": type },
    body: '{"text":"x"}',
  });
  expect(answer).toMatchObject({ status, headers: { "content-type": "application/problem+json" } });
});

test("a compressed body is refused, not inflated", async () => {
  await using it = await pair(agent);
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  expect(await send(it.url, { path: "/text.summarize.v1", headers, body: "x" })).toMatchObject({ status: 415 });
});

test("an upload by curl is a stream of events", async () => {
  await using it = await pair(async (one) => {
    if (one.kind !== "client-stream") return agent(one);
    let sum = 0;
    for await (const { data } of one.input ?? []) sum += data as number;
    return { message: reply(one.message, "/agent", sum) };
  });
  const event = { specversion: "1.0", parley: "1", source: "urn:test", type: "text.sum.v1" };
  const lines = [
    { kind: "client-stream", id: "u" },
    { kind: "item", id: "u.c1", seq: 1, data: 2 },
    { kind: "item", id: "u.c2", seq: 2, data: 3 },
    { kind: "end", id: "u.e", seq: 3 },
  ];
  const post = (parts: readonly object[]) =>
    curl(
      "-H",
      "content-type: application/cloudevents+ndjson",
      "--data-binary",
      parts.map((part) => `${JSON.stringify({ ...event, ...part })}\r\n`).join("\n"),
      `${it.url.href}text.sum.v1`,
    );
  expect(JSON.parse((await post(lines)).out)).toMatchObject({ kind: "reply", data: 5 });
  expect(JSON.parse((await post(lines.slice(0, 3))).out)).toMatchObject({ kind: "error", data: { code: "cancelled" } });
  expect(JSON.parse((await post([lines[0] ?? {}, lines[2] ?? {}])).out)).toMatchObject({
    kind: "error",
    data: { code: "data_loss" },
  });
  expect(JSON.parse((await post([lines[1] ?? {}])).out)).toMatchObject({ code: "invalid_argument" });
  expect((await post([])).status).toMatch(/^400/);
});
