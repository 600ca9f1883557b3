import { expect, test } from "vitest";
import * as client from "./index.ts";

test("the entry point for clients over HTTP, in browsers too, exports these values, and no others", () => {
  expect(Object.keys(client).sort()).toEqual([
    "GatheredAnswer",
    "HEARTBEAT_MS",
    "HeldSocket",
    "LineWriter",
    "OutgoingCall",
    "checkFetchHeaders",
    "dialHttp",
    "dispatchError",
    "essenceOf",
    "fetchSocket",
    "headerOf",
    "joinBytes",
    "mediaTypes",
    "post",
    "readAnswer",
    "readText",
    "strangeAnswer",
    "understood",
    "webCallOptionNames",
    "webLimits",
  ]);
});
