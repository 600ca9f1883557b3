import type * as Package from "@parley/transport-http";
import type { Subject } from "../subject.ts";
import { transportPackage } from "./transport-package.ts";
import { tuned } from "./tuned.ts";

const { http } = await transportPackage<typeof Package>(import.meta.url, "@parley/transport-http");

/** HTTP/1.1. */
export const subject: Subject = {
  name: "http",
  transport: (options) => http(tuned(options)),
  url: "http://127.0.0.1:0",
  secure: "https://127.0.0.1:0",
  credentials: true,
  tapping: "http",
};
