import { expect, test } from "vitest";
import * as ws from "./index.ts";

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(ws).sort()).toEqual(["SUBPROTOCOL", "WebSocketClient", "ws"]);
});

test("an option that there is not is refused, with one that there is", () => {
  expect(() => ws.ws({ heartbeat: 5 } as object)).toThrow(/^ws\(\) has no option ".+"; did you mean .*\bheartbeatMs\b/);
});
