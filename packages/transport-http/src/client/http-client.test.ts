import { inspect } from "node:util";
import { expect, test } from "vitest";
import { failure } from "../../test/pair.ts";
import { afterTest, serve, web } from "../../test/servers.ts";
import { HttpClient, type HttpClientOptions } from "../index.ts";

function client(options?: HttpClientOptions): HttpClient {
  const made = new HttpClient(options);
  afterTest(() => made.close({ graceMs: 0 }));
  return made;
}

test.each(["get", "head", "post", "put", "patch", "delete"] as const)(
  "%s makes a request of its name",
  async (name) => {
    const { url, requests } = await web((_request, response) => response.end("done"));
    const response = await client()[name](`${url}/a?b=c`);
    expect(requests).toMatchObject([{ method: name.toUpperCase(), url: "/a?b=c" }]);
    expect(await response.text()).toBe(name === "head" ? "" : "done");
  },
);

test("a request can have any method", async () => {
  const { url, requests } = await web((_request, response) => response.end());
  await client().request("PROPFIND", url);
  expect(requests[0]?.method).toBe("PROPFIND");
});

test("an answer has status, headers, address, and its body as JSON, text or bytes", async () => {
  const { url } = await web((_request, response) => {
    response.writeHead(201, "Made", { "x-one": "1", "set-cookie": ["a=1", "b=2"], "content-type": "application/json" });
    response.end('\uFEFF{"name":"Ada"}');
  });
  const api = client();
  const response = await api.get(`${url}/users?q=1`);
  expect(response).toMatchObject({
    ok: true,
    status: 201,
    statusText: "Made",
    url: `${url}/users?q=1`,
    redirected: false,
  });
  expect(response.headers.get("x-one")).toBe("1");
  expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(await response.json<{ name: string }>()).toEqual({ name: "Ada" });
  expect(await (await api.get(url)).text()).toBe('{"name":"Ada"}');
  expect((await (await api.get(url)).bytes()).length).toBe(17);
});

test("a body is read as it comes", async () => {
  const { url } = await serve((_request, response) => {
    response.write("one");
    response.write("two", () => setImmediate(() => response.end("three")));
  });
  let text = "";
  for await (const chunk of await client().get(url)) text += Buffer.from(chunk).toString();
  expect(text).toBe("onetwothree");
});

test("a body is read once", async () => {
  const { url } = await web((_request, response) => response.end("once"));
  const response = await client().get(url);
  expect(response.bodyUsed).toBe(false);
  await response.text();
  expect(response.bodyUsed).toBe(true);
  expect(await failure(response.text())).toMatchObject({ code: "failed_precondition" });
});

test("an answer that is not JSON fails as such, and is not repeated", async () => {
  const { url } = await web((_request, response) => response.end("<html>secret"));
  const error = await failure((await client().get(url)).json());
  expect(error).toMatchObject({ code: "internal", outcome: "unknown" });
  expect(error.message).not.toContain("secret");
});

test("an answer other than 2xx is returned, and thrown if that is asked for", async () => {
  const { url } = await web((_request, response) => {
    response.writeHead(404, { "content-type": "application/problem+json", "retry-after": "2" });
    response.end('{"title":"no such user"}');
  });
  const response = await client().get(`${url}/users/7?token=secret`);
  expect(response).toMatchObject({ ok: false, status: 404 });
  const error = await failure(client({ expectOk: true }).get(`${url}/users/7?token=secret`));
  expect(error).toMatchObject({
    code: "not_found",
    outcome: "rejected",
    details: { status: 404 },
    retryAfterMs: 2_000,
  });
  expect(error.message).toBe(`GET ${url}/users/7 answered 404`);
  expect(await (error.cause as typeof response).json()).toEqual({ title: "no such user" });
  expect(() => response.expectOk()).toThrow("answered 404");
});

test.each([
  [400, "invalid_argument", "rejected"],
  [401, "unauthenticated", "rejected"],
  [403, "permission_denied", "rejected"],
  [409, "aborted", "rejected"],
  [429, "resource_exhausted", "rejected"],
  [500, "unknown", "unknown"],
  [503, "unavailable", "unknown"],
  [504, "deadline_exceeded", "unknown"],
  [302, "unavailable", "rejected"],
  [304, "unknown", "rejected"],
] as const)("status %i as an error is %s, and its outcome %s", async (status, code, outcome) => {
  const { url } = await web((_request, response) => void response.writeHead(status).end());
  expect(await failure(client().get(url, { expectOk: true }))).toMatchObject({ code, outcome, details: { status } });
});

test("parameters are added to the query", async () => {
  const { url, requests } = await web((_request, response) => response.end());
  const params = { q: "a b&c", page: 2, tag: ["x", "y"], all: true, none: undefined };
  await client().get(`${url}/s?first=1`, { params });
  await client().get(`${url}/s`, { params: new URLSearchParams("k=v") });
  expect(requests.map((request) => request.url)).toEqual([
    "/s?first=1&q=a+b%26c&page=2&tag=x&tag=y&all=true",
    "/s?k=v",
  ]);
});

test.each([
  ["users", "/v1/users"],
  ["/users", "/v1/users"],
  ["//evil.example/users", "/v1/evil.example/users"],
  ["?q=1", "/v1?q=1"],
  ["", "/v1"],
  ["users#part", "/v1/users"],
])("the path %j is beneath the base", async (path, expected) => {
  const { url, requests } = await web((_request, response) => response.end());
  await client({ baseUrl: `${url}/v1/` }).get(path);
  expect(requests[0]?.url).toBe(expected);
});

test.each([
  ["a path without a base", "/users"],
  ["another scheme", "ftp://127.0.0.1/"],
  ["credentials in the URL", "http://user:secret@127.0.0.1/"],
  ["no URL", "http://[::1"],
])("%s is refused before anything is sent", async (_name, target) => {
  const error = await failure(client().get(target));
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(error.message).not.toContain("secret");
});

test("JSON, forms, text and bytes are sent with their types", async () => {
  const { url, requests } = await web((_request, response) => response.end());
  const api = client();
  await api.post(url, { json: { a: [1, null] } });
  await api.post(url, { form: { name: "Ada L", n: 1 } });
  await api.post(url, { body: "plain" });
  await api.post(url, { body: new TextEncoder().encode("raw"), headers: { "content-type": "application/x-own" } });
  await api.post(url, { body: new Blob(["blob"], { type: "image/x-own" }) });
  await api.post(url);
  expect(requests.map(({ headers, body }) => [headers["content-type"], headers["content-length"], body])).toEqual([
    ["application/json", "14", '{"a":[1,null]}'],
    ["application/x-www-form-urlencoded;charset=UTF-8", "14", "name=Ada+L&n=1"],
    ["text/plain;charset=UTF-8", "5", "plain"],
    ["application/x-own", "3", "raw"],
    ["image/x-own", "4", "blob"],
    [undefined, "0", ""],
  ]);
});

test("a form with files is sent as a strange parser reads it", async () => {
  const seen = Promise.withResolvers<FormData>();
  const { url } = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = { "content-type": request.headers["content-type"] ?? "" };
    seen.resolve(await new Response(Buffer.concat(chunks), { headers }).formData());
    response.end(request.headers["content-length"]);
  });
  const file = new File(["line\r\n--x"], 'a "b"\n.txt', { type: "text/x-own" });
  const response = await client().post(url, { multipart: { "na\rme": "va\nlue", file } });
  const form = await seen.promise;
  expect(form.get("na%0D%0Ame") ?? form.get("na\r\nme")).toBe("va\r\nlue");
  const got = form.get("file") as File;
  expect([got.type, await got.text()]).toEqual(["text/x-own", "line\r\n--x"]);
  expect(Number(await response.text())).toBeGreaterThan(100);
});

test("a stream is sent as it is made, and told to return when the server has heard enough", async () => {
  const left = Promise.withResolvers<void>();
  async function* endless() {
    try {
      for (;;) yield "x".repeat(65_536);
    } finally {
      left.resolve();
    }
  }
  const { url } = await serve((request, response) => {
    request.once("data", () => response.writeHead(413, { connection: "close" }).end("enough"));
  });
  const response = await client().post(url, { body: endless() });
  expect(response.status).toBe(413);
  await left.promise;
});

test("a stream that throws fails the request, which is not taken for complete", async () => {
  const ended = Promise.withResolvers<boolean>();
  const { url } = await serve((request) => {
    request.on("error", () => {});
    request.resume().on("close", () => ended.resolve(request.complete));
  });
  async function* broken() {
    yield "half";
    throw new Error("disk gone");
  }
  const error = await failure(client().put(url, { body: broken() }));
  expect(error).toMatchObject({ code: "cancelled", outcome: "unknown", cause: { message: "disk gone" } });
  expect(await ended.promise).toBe(false);
});

test("several bodies, and what is none, are refused", async () => {
  const api = client({ baseUrl: "http://127.0.0.1:9" });
  expect((await failure(api.post("/", { json: 1, body: "x" }))).message).toBe(
    "a request has one body, and was given json and body",
  );
  expect(await failure(api.post("/", { body: 7 as never }))).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
  });
  expect(await failure(api.post("/", { json: 1n }))).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
});

test("a header that HTTP cannot carry is refused, without its value", async () => {
  const error = await failure(client().get("http://127.0.0.1:9", { headers: { authorization: "secret\n\u2713" } }));
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(inspect(error, { depth: 9 })).not.toContain("secret");
});

test("the client's headers go to the origin of its base alone, the request's own where it says", async () => {
  const home = await web((_request, response) => response.end());
  const other = await web((_request, response) => response.end());
  const api = client({ baseUrl: home.url, headers: { "x-key": "secret" } });
  await api.get("/", { headers: { "x-own": "1" } });
  await api.get(other.url, { headers: { "x-own": "1" } });
  expect(home.requests[0]?.headers).toMatchObject({ "x-key": "secret", "x-own": "1", "user-agent": "parley" });
  expect(other.requests[0]?.headers).toMatchObject({ "x-own": "1" });
  expect(other.requests[0]?.headers).not.toHaveProperty("x-key");
});

test("hooks are told of each step, and may change the headers", async () => {
  const told: unknown[] = [];
  const { url, requests } = await web(
    (_request, response, number) => void response.writeHead(number === 1 ? 503 : 200).end(),
  );
  const api = client({
    retry: { baseMs: 0 },
    hooks: {
      beforeRequest: async ({ method, url: to, headers }) => {
        told.push([method, to.pathname]);
        headers.set("x-attempt", String(told.length));
      },
      afterResponse: ({ status }) => void told.push(status),
      beforeRetry: ({ attempts, error }) => void told.push([attempts, error.code]),
    },
  });
  expect((await api.get(`${url}/h`)).status).toBe(200);
  expect(told).toEqual([["GET", "/h"], 503, [1, "unavailable"], ["GET", "/h"], 200]);
  expect(requests.map(({ headers }) => headers["x-attempt"])).toEqual(["1", "4"]);
});

test("what a hook throws fails the request, and says which", async () => {
  const cause = new Error("mine");
  const { url } = await web((_request, response) => response.end());
  const throwing = (): never => {
    throw cause;
  };
  const before = client({ hooks: { beforeRequest: throwing } });
  expect(await failure(before.get(url))).toMatchObject({ code: "internal", outcome: "not-sent", cause });
  const after = client({ hooks: { afterResponse: throwing } });
  expect(await failure(after.get(url))).toMatchObject({ code: "internal", outcome: "unknown", cause });
  await after.close();
});

test("its state is idle, open once it is used, and closed for good", async () => {
  const { url } = await web((_request, response) => response.end());
  const api = client({ baseUrl: url });
  const states: string[] = [];
  const off = api.onState(({ state }) => states.push(state));
  expect(api.state).toBe("idle");
  await api.get("/");
  await api.close();
  await api.close();
  off();
  expect(states).toEqual(["open", "closed"]);
  expect(await failure(api.get("/"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("health is a round trip to the base, or what was last wrong", async () => {
  const { url, requests } = await web((_request, response) => void response.writeHead(405).end());
  const api = client({ baseUrl: `${url}/v1` });
  const health = await api.health();
  expect(health.roundTripMs).toBeGreaterThan(0);
  expect(requests[0]).toMatchObject({ method: "HEAD", url: "/v1" });
  const gone = client({ baseUrl: "http://127.0.0.1:9" });
  expect(await gone.health()).toMatchObject({ state: "open", lastError: { code: "unavailable" } });
});
