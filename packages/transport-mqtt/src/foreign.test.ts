import { describe, expect, test } from "vitest";
import { hasMosquitto, startAedes, startMosquitto, startTool, tool } from "../test/brokers.ts";
import { message, openLinkTo } from "../test/link.ts";

const onMosquitto = test.runIf(hasMosquitto);

describe("programs without Parley", () => {
  onMosquitto("mosquitto_rr asks with plain JSON, and gets the plain answer with its correlation data", async () => {
    await using broker = await startMosquitto();
    await using agent = await openLinkTo(broker.url, {}, { answers: true });
    const calls = await agent.subscribe({ agent: "agents/echo" });
    const asked = tool(
      "rr",
      broker.url,
      "-V",
      "5",
      "-t",
      "agents/echo/call/shell/text.echo.v1",
      "-e",
      "answers/1",
      "-m",
      '{"text":"hi"}',
      "-D",
      "publish",
      "correlation-data",
      "k1",
      "-F",
      "%p %C %D",
      "-W",
      "5",
    );
    const call = await calls.next();
    expect(call).toMatchObject({
      foreign: true,
      from: "shell",
      message: { kind: "request", type: "text.echo.v1", data: { text: "hi" }, replyto: expect.any(String) },
    });
    const to = { to: "inbox", name: String(call.message.replyto) } as const;
    // An accept means nothing to it.
    await agent.confirmed(to, message({ kind: "credit" }));
    await agent.confirmed(to, message({ kind: "reply", data: { text: "HI" } }));
    expect((await asked).trim()).toMatch(/^\{"text":"HI"\} .*k1$/);
  });

  onMosquitto("an error comes to it as its code and message, marked", async () => {
    await using broker = await startMosquitto();
    await using agent = await openLinkTo(broker.url, {}, { answers: true });
    const calls = await agent.subscribe({ agent: "a" });
    const asked = tool(
      "rr",
      broker.url,
      "-V",
      "5",
      "-t",
      "a/call/shell/t.v1",
      "-e",
      "answers/2",
      "-m",
      "{}",
      "-F",
      "%p %P",
      "-W",
      "5",
    );
    const to = { to: "inbox", name: String((await calls.next()).message.replyto) } as const;
    await agent.confirmed(to, message({ kind: "error", data: { code: "not_found", message: "no" } }));
    expect((await asked).trim()).toBe('{"code":"not_found","message":"no"} kind:error');
  });

  onMosquitto("what cannot be read is refused to whoever asked: plainly, as an event, or in its inbox", async () => {
    await using broker = await startMosquitto();
    await using agent = await openLinkTo(broker.url, {}, { answers: true });
    const calls = await agent.subscribe({ agent: "a" });
    const deep = `${"[".repeat(80)}${"]".repeat(80)}`;
    const send = (topic: string, payload: string, ...more: readonly string[]) =>
      tool("pub", broker.url, "-V", "5", "-t", topic, "-m", payload, ...more);
    const answered = ["-D", "publish", "response-topic", "answers/4"];
    await send("a/call/shell/t.v1", deep, ...answered);
    await send(
      "a/call/shell/t.v1",
      `{"specversion":"1.0","id":"7","source":"/x","type":"t.v1","data":${deep}}`,
      ...answered,
    );
    for (const owner of ["shell", "other"]) {
      const opener = { ...message({ replyto: `parley/inbox/${owner}/${"a".repeat(16)}` }), id: "8", data: "here" };
      await send("a/call/shell/text.echo.v1", JSON.stringify(opener).replace('"here"', deep));
    }
    await send("a/call/shell/t.v1", "1");
    await calls.next();
    expect(agent.unread).toEqual([
      { id: "unread", type: "t.v1", replyto: "plain::answers/4" },
      { id: "7", type: "t.v1", replyto: "event::answers/4" },
      { id: "8", type: "text.echo.v1", kind: "request", replyto: `parley/inbox/shell/${"a".repeat(16)}` },
      // Somebody else's inbox gets nothing.
      undefined,
    ]);
  });

  onMosquitto.each([["agents/x/call/me/pay.v1"], ["agents/x/all/me"], ["parley/inbox/a/b"], ["$SYS/x"]])(
    "it cannot make an agent answer to %s",
    async (responseTopic) => {
      await using broker = await startMosquitto();
      await using agent = await openLinkTo(broker.url, {}, { answers: true });
      const calls = await agent.subscribe({ agent: "a" });
      await tool(
        "pub",
        broker.url,
        "-V",
        "5",
        "-t",
        "a/call/x/t.v1",
        "-m",
        "1",
        "-D",
        "publish",
        "response-topic",
        responseTopic,
      );
      const forged = JSON.stringify({ ...message(), replyto: "plain::agents/x/call/me/pay.v1" });
      await tool("pub", broker.url, "-V", "5", "-t", "a/call/x/text.echo.v1", "-m", forged);
      const loose = JSON.stringify({ specversion: "1.0", id: "1", source: "/x", type: "t.v1", replyto: "plain::b" });
      await tool("pub", broker.url, "-V", "5", "-t", "a/call/x/t.v1", "-m", loose);
      const call = await calls.next();
      expect(call.message).toMatchObject({ kind: "notify", id: "1" });
      expect(call.message.replyto).toBeUndefined();
      expect(agent.refused.map(({ code }) => code)).toEqual(["invalid_argument", "invalid_argument"]);
    },
  );

  onMosquitto("what a device publishes arrives wrapped: JSON, text, bytes, and nothing", async () => {
    await using broker = await startMosquitto();
    await using reader = await openLinkTo(broker.url);
    const inbox = await reader.subscribe({ filter: "sensors/+" });
    for (const version of ["5", "311"]) {
      for (const payload of ['{"c":21.5}', "on", '"quoted"'])
        await tool("pub", broker.url, "-V", version, "-t", "sensors/7", "-m", payload);
      await tool("pub", broker.url, "-V", version, "-t", "sensors/7", "-n");
      const arrivals = [await inbox.next(), await inbox.next(), await inbox.next(), await inbox.next()];
      expect(arrivals.map(({ foreign }) => foreign)).toEqual([true, true, true, true]);
      expect(
        arrivals.map(({ message }) => [message.kind, message.subject, message.data, message.datacontenttype]),
      ).toEqual([
        ["publish", "sensors/7", { c: 21.5 }, undefined],
        ["publish", "sensors/7", "on", "text/plain"],
        ["publish", "sensors/7", "quoted", undefined],
        ["publish", "sensors/7", undefined, undefined],
      ]);
    }
  });

  onMosquitto("what has expired is not published, in either version", async () => {
    await using broker = await startMosquitto();
    for (const protocolVersion of [5, 4] as const) {
      await using writer = await openLinkTo(broker.url, { protocolVersion });
      const expirytime = new Date(Date.now() - 1).toISOString();
      const late = message({ kind: "publish", type: "home.temp.v1", subject: "temp", data: 1, expirytime });
      await expect(writer.confirmed({ to: "topic", name: "temp" }, late)).rejects.toMatchObject({
        code: "deadline_exceeded",
        outcome: "not-sent",
      });
    }
  });

  onMosquitto("mosquitto_sub sees plain data, with the attributes as user properties", async () => {
    await using broker = await startMosquitto();
    await using writer = await openLinkTo(broker.url, { retain: () => true });
    const sent = message({
      kind: "publish",
      type: "home.temp.v1",
      subject: "temp",
      data: { c: 21.5 },
      expirytime: new Date(Date.now() + 5_500).toISOString(),
    });
    await writer.confirmed({ to: "topic", name: "temp" }, sent);
    const seen = await tool("sub", broker.url, "-V", "5", "-t", "temp", "-C", "1", "-W", "5", "-F", "%p|%P|%E");
    const [payload, properties, expiry] = seen.trim().split("|");
    expect(payload).toBe('{"c":21.5}');
    expect(properties).toContain(`id:${sent.id}`);
    expect(properties).toContain("specversion:1.0");
    expect(Number(expiry)).toBeGreaterThan(3);
    expect(Number(expiry)).toBeLessThan(7);
  });

  onMosquitto("a CloudEvent of somebody else's, in either mode, is no foreign message", async () => {
    await using broker = await startMosquitto();
    await using reader = await openLinkTo(broker.url);
    const inbox = await reader.subscribe({ filter: "ce" });
    const properties = ["specversion:1.0", "id:1", "source:/s", "type:t"].flatMap((one) => [
      "-D",
      "publish",
      "user-property",
      ...(one.split(/:(.*)/, 2) as [string, string]),
    ]);
    await tool(
      "pub",
      broker.url,
      "-V",
      "5",
      "-t",
      "ce",
      "-m",
      '{"a":1}',
      "-D",
      "publish",
      "content-type",
      "application/json",
      ...properties,
    );
    await tool(
      "pub",
      broker.url,
      "-V",
      "311",
      "-t",
      "ce",
      "-m",
      '{"id":"2","specversion":"1.0","source":"/s","type":"t","data":[2]}',
    );
    for (const expected of [
      { id: "1", data: { a: 1 } },
      { id: "2", data: [2] },
    ]) {
      const arrival = await inbox.next();
      expect(arrival.foreign).toBeUndefined();
      expect(arrival.message).toMatchObject({ ...expected, type: "t", subject: "ce" });
    }
  });

  onMosquitto("a program without Parley can serve: its answer to the response topic is a reply", async () => {
    await using broker = await startMosquitto();
    await using caller = await openLinkTo(broker.url);
    const server = startTool("sub", broker.url, "-V", "5", "-t", "lamp/call/+/+", "-C", "1", "-F", "%R %D %E %p");
    const marker = await caller.subscribe({ filter: "marker" });
    const opener = message({ type: "lamp.on.v1", replyto: caller.broker.inbox, timeoutms: 1, data: 1 });
    // Until the tool has subscribed.
    for (let sent = false; !sent; )
      sent = await caller.confirmed({ to: "agent", name: "lamp", type: opener.type }, opener).then(
        () => true,
        () => false,
      );
    await server.closed;
    const [responseTopic, correlation, expiry] = server.output().split(" ") as [string, string, string];
    expect([responseTopic, correlation, expiry]).toEqual([caller.broker.inbox, opener.id, "1"]);
    await tool(
      "pub",
      broker.url,
      "-V",
      "5",
      "-t",
      responseTopic,
      "-m",
      '"done"',
      "-D",
      "publish",
      "correlation-data",
      correlation,
    );
    const answer = await caller.inbox.next();
    expect(answer).toMatchObject({
      foreign: true,
      message: { kind: "reply", inreplyto: opener.id, id: `${opener.id}.r`, data: "done" },
    });
    await marker.stop();
  });

  onMosquitto("hostile messages are counted, and cost nobody anything else", async () => {
    await using broker = await startMosquitto();
    await using agent = await openLinkTo(broker.url, {}, { answers: true });
    const calls = await agent.subscribe({ agent: "a" });
    const event = (change: object): string => JSON.stringify({ ...message(), ...change });
    const call = ["-V", "5", "-t", "a/call/eve/text.echo.v1"];
    const inboxOfOthers = "parley/inbox/alice/aaaaaaaaaaaaaaaa";
    await tool("pub", broker.url, ...call, "-m", event({ type: "other.v1" }));
    await tool("pub", broker.url, ...call, "-m", event({ replyto: inboxOfOthers }));
    await tool("pub", broker.url, ...call, "-m", event({ replyto: "parley/inbox/eve/#" }));
    await tool("pub", broker.url, ...call, "-m", event({}), "-D", "publish", "correlation-data", "other");
    await tool("pub", broker.url, ...call, "-m", event({}), "-D", "publish", "response-topic", "other");
    await tool("pub", broker.url, ...call, "-r", "-m", `{"deep":${"[".repeat(100)}${"]".repeat(100)}}`);
    await tool("pub", broker.url, ...call, "-m", '{"specversion":"1.0"}');
    await tool(
      "pub",
      broker.url,
      ...call,
      "-m",
      "1",
      "-D",
      "publish",
      "response-topic",
      "r",
      "-D",
      "publish",
      "correlation-data",
      "x".repeat(257),
    );
    await tool("pub", broker.url, ...call, "-m", '{"fine":true}');
    expect((await calls.next()).message.data).toEqual({ fine: true });
    expect(agent.refused.length).toBe(8);
    expect(calls.arrivals.length).toBe(1);
  });

  test("a retained call is none for those who come later", async () => {
    await using broker = await startAedes();
    const packet = {
      cmd: "publish",
      qos: 0,
      dup: false,
      retain: true,
      topic: "a/call/eve/t.v1",
      payload: "1",
    } as const;
    await new Promise<void>((resolve) => broker.aedes.publish(packet, () => resolve()));
    await using agent = await openLinkTo(broker.url, {}, { answers: true });
    const calls = await agent.subscribe({ agent: "a" });
    const marker = { ...packet, retain: false, payload: "2" };
    await new Promise<void>((resolve) => broker.aedes.publish(marker, () => resolve()));
    expect((await calls.next()).message.data).toBe(2);
    expect(agent.refused.length).toBe(1);
  });
});

describe("presence", () => {
  onMosquitto("a retained topic says who is there; a vanished process is offline by its will", async () => {
    await using broker = await startMosquitto();
    const presence = { topic: "agents/a/presence", online: { state: "up" }, offline: "offline" };
    await using witness = await openLinkTo(broker.url);
    const states = await witness.subscribe({ filter: "agents/a/presence" });
    const next = async (): Promise<unknown> => (await states.next()).message.data;
    const link = await openLinkTo(broker.url, { presence });
    const retained = await tool("sub", broker.url, "-t", "agents/a/presence", "-C", "1", "-W", "5");
    expect(retained.trim()).toBe('{"state":"up"}');
    await link.broker.close();
    expect((await tool("sub", broker.url, "-t", "agents/a/presence", "-C", "1", "-W", "5")).trim()).toBe("offline");
    const second = await openLinkTo(broker.url, { presence, clientId: "me" });
    // Another of the same name makes the broker cut the connection that bears the will.
    await using usurper = await openLinkTo(broker.url, { clientId: "me-presence" });
    expect([await next(), await next(), await next(), await next()]).toEqual([
      { state: "up" },
      "offline",
      { state: "up" },
      "offline",
    ]);
    expect(await second.down).toMatchObject({ code: "unavailable" });
    await usurper.broker.close();
  });
});
