import { once } from "node:events";
import { createServer } from "node:net";
import type { ParleyError } from "@parley/core";
import { mqtt } from "@parley/transport-mqtt";
import { describe, expect, it } from "vitest";
import { leaksWithin, snapshot } from "../hygiene.ts";
import { startAedes } from "./aedes.ts";
import type { BrokerKind } from "./broker.ts";
import { mqttBroker } from "./mqtt.ts";
import { ownBroker } from "./own-broker.ts";
import { addressAt, MissingBroker, placeBroker } from "./place.ts";
import { installed } from "./program.ts";
import { securedPlace, users } from "./secured-place.ts";

/** A kind of broker that is nowhere by itself. */
const nowhere: BrokerKind = { ...mqttBroker, usual: "mqtt://127.0.0.1:1" };
const noProgram: BrokerKind = { ...nowhere, start: async () => undefined };

describe("the broker to test on", () => {
  it("is one of the suite's own where there is a program for it, and is ended with the run", async () => {
    const place = await placeBroker(nowhere, undefined);
    expect(await mqttBroker.answers(place.url)).toBe(true);
    await place.release();
    expect(await mqttBroker.answers(place.url)).toBe(false);
  });

  it("is without a program the one that runs at the usual port, which is left alone", async () => {
    const running = await ownBroker(mqttBroker);
    if (!running) throw new Error("there is neither mosquitto nor aedes here");
    const place = await placeBroker({ ...noProgram, usual: running.url.href }, undefined);
    expect(place.url.href).toBe(running.url.href);
    await place.release();
    expect(await mqttBroker.answers(running.url)).toBe(true);
    await running.close();
  });

  it("is one that can less where there is no other", async () => {
    const place = await placeBroker(noProgram, undefined);
    expect(await mqttBroker.answers(place.url)).toBe(true);
    await place.release();
  });

  it("is missing, with how to get one, where nothing answers and nothing can be started", async () => {
    const { startLesser: _, ...none } = noProgram;
    await expect(placeBroker(none, undefined)).rejects.toThrow(MissingBroker);
    await expect(placeBroker(none, undefined)).rejects.toThrow(/apt install mosquitto.*--url mqtt:/);
    await expect(placeBroker(nowhere, new URL("mqtt://127.0.0.1:1"))).rejects.toThrow("answers at mqtt://127.0.0.1:1");
  });

  it("says who it is and of what version, where it tells", async () => {
    const lesser = await placeBroker(noProgram, undefined);
    expect(lesser.broker).toEqual({ name: "aedes", version: expect.stringMatching(/^\d/) });
    expect(await placeBroker({ ...mqttBroker, identify: async () => undefined }, lesser.url)).toMatchObject({
      broker: { name: "an MQTT broker" },
    });
    await lesser.release();
    const best = await placeBroker(nowhere, undefined);
    expect(best.broker.version).toMatch(/^\d+\.\d+/);
    await best.release();
  });

  it("is not looked for behind TLS, where the suite could not listen in", async () => {
    await expect(placeBroker(mqttBroker, new URL("mqtts://me:secret@broker:8883"))).rejects.toThrow(
      "mqtts://broker:8883: the suite listens in on the way to the broker, so name an address without TLS, as in mqtt://broker",
    );
  });

  it("is not just anything that listens", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    expect(await mqttBroker.answers(new URL(`mqtt://127.0.0.1:${port}`))).toBe(false);
    server.close();
  });

  it("gives a wire its host, port and user, and leaves it the rest", () => {
    const url = addressAt(new URL("mqtt://127.0.0.1:1883/agents/a"), new URL("mqtt://me:secret@broker:99"));
    expect(url.href).toBe("mqtt://me:secret@broker:99/agents/a");
  });
});

describe("a broker of a scenario's own", () => {
  it("can be stopped, and started again at the same address as another process", async () => {
    const broker = await ownBroker(mqttBroker, { persistent: true });
    if (!broker) throw new Error("there is neither mosquitto nor aedes here");
    const first = broker.pid;
    await broker.stop();
    expect([broker.pid, await mqttBroker.answers(broker.url)]).toEqual([undefined, false]);
    await broker.start();
    expect(await mqttBroker.answers(broker.url)).toBe(true);
    expect(broker.pid).not.toBe(first);
    await broker.restart("SIGTERM");
    expect(await mqttBroker.answers(broker.url)).toBe(true);
    await broker.close();
    expect(await mqttBroker.answers(broker.url)).toBe(false);
  });

  it("is aedes where there is no Mosquitto", async () => {
    const broker = await startAedes({});
    expect(broker && (await mqttBroker.answers(broker.url))).toBe(true);
    await broker?.end("SIGTERM");
  });
});

describe("a broker that lets in only whom it knows", () => {
  it("is missing, with what it needs, where there is none", async () => {
    const none: BrokerKind = { ...mqttBroker, secured: undefined };
    await expect(securedPlace(none)).rejects.toThrow(MissingBroker);
  });

  it.runIf(installed("mosquitto"))("puts out whom it is told to, and is none of what a process has open", async () => {
    const before = snapshot();
    const { broker, known, passwords } = await securedPlace(mqttBroker);
    /** Nobody serves there: `unavailable` is to be let in. */
    const dial = async (password = passwords[users.carol]): Promise<unknown> => {
      const url = Object.assign(broker.door("password"), { pathname: "/conformance/nobody" });
      const tls = { ca: known.cert };
      const error = await failureOf(mqtt({ username: users.carol, password, tls }).connect(url));
      return error.code;
    };
    expect(await dial()).toBe("unavailable");
    await broker.shutOut(users.carol);
    expect(await dial()).toBe("unauthenticated");
    await broker.renew(users.carol, "another");
    expect([await dial(), await dial("another")]).toEqual(["unauthenticated", "unavailable"]);
    expect(() => broker.door("nowhere")).toThrow("password, certificate");
    expect(await leaksWithin(before, snapshot, 1_000)).toEqual([]);
    await broker.end();
  });
});

async function failureOf(promise: Promise<unknown>): Promise<ParleyError> {
  return promise.then(
    () => expect.fail("it must fail"),
    (error: ParleyError) => error,
  );
}
