import { inspect } from "node:util";
import {
  agent,
  apiKey,
  basic,
  bearer,
  type Credentials,
  connect,
  contract,
  ParleyError,
  request,
  serve,
} from "@parley/core";
import { describe, expect, test } from "vitest";
import { startAedes } from "../test/brokers.ts";
import { mqtt } from "./mqtt.ts";

const words = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) => ({ value }),
    types: undefined as { readonly input: string; readonly output: string } | undefined,
  },
} as const;
const greeting = contract("greeting", { greet: request({ input: words, output: words }) });
const greeter = agent(greeting, { greet: (name) => `Hello, ${name}!` });
const CANARY = "canary-77";

/** A broker that takes one password, which can be changed, and notes who came. */
async function guarded(initial: string) {
  const broker = await startAedes();
  const came: string[] = [];
  let good = initial;
  broker.aedes.authenticate = (_client, username, password, done) => {
    came.push(`${username}:${password}`);
    const known = password?.toString() === good;
    done(known ? null : Object.assign(new Error("no"), { returnCode: 4 }), known);
  };
  return {
    came,
    url: new URL("agents/greeter", `${broker.url.href}/`).href,
    change(next: string): void {
      good = next;
    },
    cut(): void {
      const { clients } = broker.aedes as unknown as { clients: Record<string, { conn: { destroy(): void } }> }; // what its types leave out
      for (const { conn } of Object.values(clients)) conn.destroy();
    },
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

describe("credentials", () => {
  test.each<[string, Credentials, string | undefined, string]>([
    ["a user and password are MQTT's own", basic("ada", "secret"), undefined, "ada:secret"],
    ["a token is the password of the option username", bearer("secret"), "ada", "ada:secret"],
    ["without one it is that of an empty name", bearer("secret"), undefined, ":secret"],
    ["a key is the password of the option username", apiKey(async () => "secret"), "ada", "ada:secret"],
    ["they go before the option username", basic("ada", "secret"), "eve", "ada:secret"],
  ])("%s", async (_, credentials, username, shown) => {
    await using broker = await guarded("secret");
    const transports = [mqtt({ credentials, username, password: "old" })];
    await using _server = await serve(greeter, broker.url, { transports });
    await using remote = await connect(greeting, broker.url, { transports });
    expect(await remote.greet("Ada")).toBe("Hello, Ada!");
    expect(new Set(broker.came)).toEqual(new Set([shown]));
  });

  test("are asked for again, once, when the broker refuses them, at listening, dialling and reconnecting", async () => {
    await using broker = await guarded("second");
    const asked: unknown[] = [];
    let current = "first";
    const credentials = bearer((refused) => {
      asked.push(refused);
      if (refused === current) current = current === "first" ? "second" : "third";
      return current;
    });
    const transports = [mqtt({ credentials, username: "ada" })];
    await using _server = await serve(greeter, broker.url, { transports });
    expect(asked).toEqual([undefined, "first"]);
    await using remote = await connect(greeting, broker.url, { transports, reconnect: { baseMs: 1 } });
    expect(await remote.greet("Ada")).toBe("Hello, Ada!");
    broker.change("third");
    const back = new Promise<void>((resolve) => {
      remote.connection.onState(({ state }) => {
        if (state === "open") resolve();
      });
    });
    broker.cut();
    await back;
    expect(await remote.greet("Bob")).toBe("Hello, Bob!");
    expect(asked.filter((refused) => refused !== undefined)).toEqual(["first", "second"]);
  });

  test("that are no good are told as such, and in nothing that is printed", async () => {
    await using broker = await guarded("secret");
    for (const credentials of [basic("ada", CANARY), bearer(() => CANARY)]) {
      const transports = [mqtt({ credentials, username: "ada" })];
      for (const failing of [
        connect(greeting, broker.url, { transports }),
        serve(greeter, broker.url, { transports }),
      ]) {
        const error = await failing.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(ParleyError);
        expect(error).toMatchObject({ code: "unauthenticated" });
        expect(inspect([error, transports], { depth: 14, showHidden: true })).not.toContain(CANARY);
      }
    }
    expect(broker.came).toContain(`ada:${CANARY}`);
  });

  test("that are good are in nothing that is printed of the connection", async () => {
    await using broker = await guarded(CANARY);
    const transports = [mqtt({ credentials: basic("ada", CANARY) })];
    await using server = await serve(greeter, broker.url, { transports });
    await using remote = await connect(greeting, broker.url, { transports });
    await remote.greet("Ada");
    const printed = inspect([server, remote.connection, remote], { depth: 14, showHidden: true });
    expect(printed).not.toContain(CANARY);
  });
});
