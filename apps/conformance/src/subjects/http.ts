import { http } from "@parley/transport-http";
import type { Subject } from "../subject.ts";

/** HTTP/1.1. */
export const subject: Subject = {
  name: "http",
  transport: () => http(),
  url: "http://127.0.0.1:0",
  tapping: "http",
};
