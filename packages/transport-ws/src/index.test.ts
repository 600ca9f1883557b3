import { expect, test } from "vitest";
import * as ws from "./index.ts";

test("the entry point exports these values, and no others", () => {
  expect(Object.keys(ws).sort()).toEqual(["SUBPROTOCOL", "WebSocketClient", "ws"]);
});
