import type { IPublishPacket } from "mqtt";
import { expect, test } from "vitest";
import { ClientSubscription } from "./client-subscription.ts";
import type { MqttSubscribeOptions } from "./options.ts";

/** A subscription, with what was put into it and how often it was taken back. */
function stage(options: MqttSubscribeOptions = {}) {
  let removals = 0;
  const subscription = new ClientSubscription({
    name: "a/+",
    options,
    remove: async () => {
      removals++;
    },
  });
  return {
    subscription,
    removals: () => removals,
    put(text: string, packet: Partial<IPublishPacket> = {}) {
      const whole = {
        cmd: "publish",
        topic: "a/b",
        payload: text,
        qos: 1,
        retain: false,
        dup: false,
        ...packet,
      } as const;
      subscription.take(whole.topic, Buffer.from(text), whole);
    },
    async read(): Promise<string | undefined> {
      const { value } = await subscription.next();
      return value?.text();
    },
  };
}

test("a reader that is too slow gets what was kept, and then is told that the rest is lost", async () => {
  const { subscription, put, read, removals } = stage({ maxUnread: 2 });
  for (const text of ["1", "2", "3", "4"]) put(text);
  expect(subscription.dropped).toBe(1);
  expect(removals()).toBe(1);
  expect([await read(), await read()]).toEqual(["1", "2"]);
  await expect(read()).rejects.toMatchObject({ code: "data_loss", message: expect.stringContaining("a/+") });
  expect(await read()).toBeUndefined();
  expect(await subscription.closed).toMatchObject({ code: "data_loss" });
});

test.each([
  ["drop-oldest", ["3", "4"]],
  ["drop-new", ["1", "2"]],
] as const)("%s keeps %j of four, and counts the others", async (overflow, kept) => {
  const { subscription, put, read, removals } = stage({ maxUnread: 2, overflow });
  for (const text of ["1", "2", "3", "4"]) put(text);
  expect([await read(), await read()]).toEqual(kept);
  expect(subscription.dropped).toBe(2);
  expect(removals()).toBe(0);
  put("5");
  expect(await read()).toBe("5");
});

test("bytes are bounded as well; one message alone may have more", async () => {
  const { subscription, put, read } = stage({ maxUnreadBytes: 100, overflow: "drop-oldest" });
  put("x".repeat(500));
  put("y".repeat(90));
  expect(subscription.dropped).toBe(1);
  put("z".repeat(5));
  expect(subscription.dropped).toBe(2);
  expect(await read()).toBe("zzzzz");
  const waiting = read();
  put("w".repeat(500));
  expect(await waiting).toBe("w".repeat(500));
  for (const text of ["v", "w"]) put(text.repeat(40));
  expect(subscription.dropped).toBe(2);
});

test("a message that several filters match comes once", async () => {
  const { subscription, put, read } = stage();
  const packet: IPublishPacket = { cmd: "publish", topic: "a/b", payload: "x", qos: 0, retain: false, dup: false };
  subscription.take("a/b", Buffer.from("once"), packet);
  subscription.take("a/b", Buffer.from("once"), packet);
  put("next");
  expect([await read(), await read()]).toEqual(["once", "next"]);
});

test("leaving takes the filters back once, drops what waits, and what comes afterwards", async () => {
  const { subscription, put, removals } = stage();
  put("1");
  for await (const message of subscription) {
    expect(message.text()).toBe("1");
    put("2");
    break;
  }
  await subscription.unsubscribe();
  put("3");
  expect(await subscription.next()).toEqual({ done: true, value: undefined });
  expect(removals()).toBe(1);
  expect(await subscription.closed).toBeUndefined();
});

test("what has come is still read after unsubscribing", async () => {
  const { subscription, put, read } = stage();
  put("1");
  await subscription.unsubscribe();
  expect([await read(), await read()]).toEqual(["1", undefined]);
});
