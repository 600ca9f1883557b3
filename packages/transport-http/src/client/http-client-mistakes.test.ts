import { bearer } from "@parley/core";
import { expect, test } from "vitest";
import { failure } from "../../test/pair.ts";
import { afterTest, serve, web } from "../../test/servers.ts";
import { HttpClient, type HttpClientOptions, type HttpRequestOptions } from "../index.ts";

const baseUrl = "http://127.0.0.1:1";

// What callers without types write.
const made = (options: unknown) => () => new HttpClient(options as HttpClientOptions);

test.each<[string, unknown, string]>([
  ["an address in place of options", baseUrl, "takes an object of options"],
  ["a name that is misspelt", { baseURL: baseUrl }, "did you mean baseUrl?"],
  ["a time without its unit", { timeout: 5 }, "did you mean timeoutMs"],
  ["retries as a number", { retry: 3 }, "the option retry takes an object"],
  ["a count of retries", { retry: { count: 3 } }, 'the option retry has no option "count"'],
  ["a pool of another name", { pool: { max: 3 } }, "did you mean maxPerOrigin or maxTotal or maxWaiting?"],
  ["a token in place of credentials", { baseUrl, credentials: "t0ken" }, "the option credentials takes what bearer()"],
  ["redirects that are errors", { redirect: "error" }, 'must be "follow" or "manual"'],
])("%s is refused when the client is made", (_what, options, message) => {
  expect(made(options)).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      outcome: "not-sent",
      message: expect.stringContaining(message),
    }),
  );
  expect(made(options)).not.toThrow(/t0ken/);
});

test.each<[string, string, unknown, unknown, string]>([
  ["no address", "GET", undefined, {}, "is undefined"],
  ["a body in place of options", "POST", "/", "hello", "was given string"],
  ["data of another library", "POST", "/", { data: {} }, 'a POST request has no option "data"'],
  ["a query of another name", "GET", "/", { query: {} }, 'no option "query"'],
  ["a parameter without a text", "GET", "/", { params: { filter: { a: 1 } } }, "the parameter filter must be a text"],
  ["a method with a space", "GE T", "/", {}, '"GE T" is no method'],
  ["a tunnel", "CONNECT", "/", {}, '"CONNECT" is no method'],
  ["a header that is undefined", "GET", "/", { headers: { authorization: undefined } }, 'the header "authorization"'],
  ["an expectation", "PUT", "/", { headers: { expect: "100-continue" }, body: "x" }, "expect"],
  ["another length", "POST", "/", { headers: { "content-length": "2" }, body: "hello" }, "content-length"],
])("%s is refused before anything is sent", async (_what, method, target, options, message) => {
  const { url, requests } = await web((_request, response) => response.end());
  const api = new HttpClient({ baseUrl: url });
  afterTest(() => api.close({ graceMs: 0 }));
  const error = await failure(api.request(method, target as string, options as HttpRequestOptions));
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(error.message).toContain(message);
  expect(requests).toEqual([]);
});

test("a method may be in lower case", async () => {
  const { url, requests } = await web((_request, response) => response.end());
  const api = new HttpClient();
  afterTest(() => api.close());
  await api.request("patch", url);
  expect(requests).toMatchObject([{ method: "PATCH" }]);
});

test("answers are asked for as they are, and one that is compressed all the same is told as that", async () => {
  const { url } = await serve((request, response) => {
    expect(request.headers["accept-encoding"]).toBe("identity");
    response.writeHead(200, { "content-encoding": "gzip" }).end(Buffer.from([0x1f, 0x8b, 8, 0]));
  });
  const api = new HttpClient({ credentials: bearer("x"), baseUrl: url });
  afterTest(() => api.close());
  const error = await failure((await api.get("/")).json());
  expect(error).toMatchObject({ code: "internal", outcome: "unknown" });
  expect(error.message).toContain("in gzip, which was not asked for");
});

test("a server without TLS is told apart, in words", async () => {
  const { url } = await serve((_request, response) => response.end());
  const api = new HttpClient();
  afterTest(() => api.close());
  const error = await failure(api.get(url.replace("http:", "https:")));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(error.message).toMatch(
    /^the TLS connection to 127\.0\.0\.1:\d+ failed: wrong version number; does it speak TLS at this port\?$/,
  );
});
