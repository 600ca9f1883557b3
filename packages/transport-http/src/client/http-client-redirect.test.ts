import { inspect } from "node:util";
import type { Credentials, LogEntry } from "@parley/core";
import { expect, test } from "vitest";
import { failure } from "../../test/pair.ts";
import { afterTest, serve, web } from "../../test/servers.ts";
import { HttpClient, type HttpClientOptions } from "../index.ts";

function client(options?: HttpClientOptions): HttpClient {
  const made = new HttpClient(options);
  afterTest(() => made.close({ graceMs: 0 }));
  return made;
}

/** Redirects from `/` to the location, and tells of what arrives elsewhere. */
function redirecting(status: number, location: string) {
  return web(({ url }, response) => {
    if (url === "/") response.writeHead(status, { location }).end("moved");
    else response.end(`at ${url}`);
  });
}

// RFC 9110, 15.4; what becomes of POST at 301 and 302 is what user agents do.
test.each([
  [301, "GET", "GET", false],
  [301, "POST", "GET", false],
  [301, "PUT", "PUT", true],
  [302, "POST", "GET", false],
  [302, "DELETE", "DELETE", true],
  [303, "GET", "GET", false],
  [303, "HEAD", "HEAD", false],
  [303, "POST", "GET", false],
  [303, "PUT", "GET", false],
  [307, "POST", "POST", true],
  [308, "PATCH", "PATCH", true],
])("a %i of %s goes on as %s", async (status, method, next, keepsBody) => {
  const { url, requests } = await redirecting(status, "/there?x=1");
  const withBody = method !== "GET" && method !== "HEAD";
  const body = { body: '{"n":1}', headers: { "content-type": "application/json", "content-language": "de" } };
  const response = await client().request(method, url, withBody ? body : {});
  expect(response).toMatchObject({ status: 200, url: `${url}/there?x=1`, redirected: true });
  expect(requests[1]).toMatchObject({ method: next, url: "/there?x=1", body: keepsBody ? '{"n":1}' : "" });
  expect(requests[1]?.headers["content-type"]).toBe(keepsBody ? "application/json" : undefined);
  expect(requests[1]?.headers["content-language"]).toBe(keepsBody ? "de" : undefined);
});

test.each([
  ["/a/../b", "/b"],
  ["there", "/there"],
  ["/%C3%BC#part", "/%C3%BC"],
])("the location %j is read against where it came from", async (location, at) => {
  const { url } = await redirecting(302, location);
  expect((await client().get(url)).url).toBe(`${url}${at}`);
});

test("a redirect that is not followed is an answer like others", async () => {
  const { url } = await redirecting(302, "/there");
  const manual = await client({ redirect: "manual" }).get(url);
  expect([manual.status, manual.ok, manual.headers.get("location")]).toEqual([302, false, "/there"]);
  for (const location of ["ftp://127.0.0.1/", "http://[", "http://user:pass@127.0.0.1/"]) {
    const odd = await redirecting(302, location);
    expect((await client().get(odd.url)).status).toBe(302);
  }
  const nowhere = await web((_request, response) => response.writeHead(302).end());
  expect((await client().get(nowhere.url)).status).toBe(302);
});

test("a loop ends, with its length", async () => {
  const { url, requests } = await web((_request, response) => response.writeHead(302, { location: "/" }).end());
  const error = await failure(client({ maxRedirects: 3 }).get(url));
  expect(error).toMatchObject({ code: "failed_precondition", outcome: "rejected", details: { status: 302 } });
  expect(requests).toHaveLength(4);
});

test("another origin is not gone to unless it is named, and learns nothing of who asks", async () => {
  const { url: other, requests: seen } = await web((_request, response) => response.end());
  const { url, requests } = await redirecting(307, `${other}/there`);
  const headers = {
    authorization: "Bearer secret",
    cookie: "session=secret",
    "x-api-key": "secret",
    accept: "text/own",
    "accept-language": "de",
  };
  const options: HttpClientOptions = {
    baseUrl: url,
    headers: { "x-client": "secret" },
    hooks: { beforeRequest: (request) => request.headers.set("x-signature", "secret") },
  };
  const stayed = await client(options).post("/", { headers, json: 1 });
  expect([stayed.status, seen.length]).toEqual([307, 0]);
  for (const origin of [other, "*"]) {
    await client({ ...options, redirectOrigins: [origin] }).post("/", { headers, json: 1 });
  }
  expect(requests[2]?.headers).toMatchObject({ authorization: "Bearer secret", "x-signature": "secret" });
  expect(seen).toHaveLength(2);
  for (const request of seen) {
    expect(request).toMatchObject({ method: "POST", body: "1" });
    expect(Object.keys(request.headers).sort()).toEqual([
      "accept",
      "accept-encoding",
      "accept-language",
      "connection",
      "content-length",
      "content-type",
      "host",
      "user-agent",
    ]);
  }
});

test("a way back from another origin does not bring the credentials back", async () => {
  const { url: other } = await web((_request, response) =>
    response.writeHead(302, { location: `${home.url}/evil` }).end(),
  );
  const home = await web(({ url }, response) => {
    if (url === "/") response.writeHead(302, { location: other }).end();
    else response.end();
  });
  const api = client({ baseUrl: home.url, headers: { "x-key": "secret" }, redirectOrigins: [other] });
  await api.get("/");
  expect(home.requests.map(({ url, headers }) => [url, headers["x-key"]])).toEqual([
    ["/", "secret"],
    ["/evil", undefined],
  ]);
});

test("what is no origin is refused as one", () => {
  expect(() => client({ redirectOrigins: ["https://files.example/path"] })).toThrow("is no origin");
});

test("a stream cannot be sent on, so its redirect is the answer", async () => {
  const { url } = await redirecting(307, "/there");
  const stream = async function* () {
    yield "once";
  };
  expect((await client().post(url, { body: stream() })).status).toBe(307);
  expect(await (await client().post(url, { body: stream })).text()).toBe("at /there");
});

/** Tokens, the next of which is given when the last was refused. */
function tokens(...list: string[]): Credentials & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    present: async () => {
      const token = list[0] ?? "";
      asked.push(token);
      return {
        header: () => ["authorization", `Bearer ${token}`],
        login: () => ({ password: token }),
        text: () => token,
      };
    },
    refused: (shown) => {
      if (shown?.text() === list[0]) list.shift();
      return list.length > 0;
    },
  };
}

test("an expired token is renewed and the request made again, once", async () => {
  const { url, requests } = await web(({ headers }, response) => {
    response.writeHead(headers.authorization === "Bearer fresh" ? 200 : 401).end();
  });
  const good = tokens("stale", "fresh");
  const api = client({ baseUrl: url, credentials: good });
  expect((await api.post("/", { json: 1 })).status).toBe(200);
  expect(good.asked).toEqual(["stale", "fresh"]);
  expect(requests.map(({ body }) => body)).toEqual(["1", "1"]);
  const bad = tokens("a", "b", "c", "d");
  expect((await client({ baseUrl: url, credentials: bad }).get("/")).status).toBe(401);
  expect(bad.asked).toEqual(["a", "b"]);
  const last = tokens("a");
  const error = await failure(client({ baseUrl: url, credentials: last, expectOk: true }).get("/"));
  expect(error).toMatchObject({ code: "unauthenticated", outcome: "rejected", details: { status: 401 } });
  expect(last.asked).toEqual(["a"]);
});

test("credentials are shown to the origin of the base alone, and need one", async () => {
  const { url } = await web((_request, response) => response.end());
  const other = await serve((request, response) => response.end(String(request.headers.authorization)));
  const api = client({ baseUrl: url, credentials: tokens("secret"), redirectOrigins: [other.url] });
  expect(await (await api.get(other.url)).text()).toBe("undefined");
  expect(() => client({ credentials: tokens("secret") })).toThrow("baseUrl");
  expect(() => client({ tls: { cert: "x", key: "y" } })).toThrow("baseUrl");
});

test("nothing that is printed holds a secret: the client, its answers, errors and log", async () => {
  const canary = "canary-7f3a";
  const { url } = await web(({ url: path }, response) => {
    if (path.startsWith("/cut")) response.destroy();
    else response.writeHead(path.startsWith("/busy") ? 503 : 401, { "set-cookie": `session=${canary}` }).end(canary);
  });
  const log: LogEntry[] = [];
  const api = client({
    baseUrl: url,
    headers: { "x-key": canary },
    credentials: tokens(canary),
    retry: { baseMs: 0, maxAttempts: 2 },
    expectOk: true,
    log: (entry) => log.push(entry),
  });
  const printed: unknown[] = [api, log];
  for (const path of ["/", "/busy", "/cut", "/slow"]) {
    const options = { params: { token: canary }, json: { password: canary }, timeoutMs: path === "/slow" ? 1 : 5_000 };
    printed.push(await failure(api.put(path, options)));
  }
  printed.push(
    await failure(client({ headers: { authorization: canary } }).get(`http://127.0.0.1:9/?token=${canary}`)),
  );
  expect(log.length).toBeGreaterThan(0);
  expect(inspect(printed, { depth: 20, showHidden: true, maxStringLength: null })).not.toContain(canary);
});
