import { expect, test } from "vitest";
import { socketError } from "./socket.ts";

const url = new URL("mqtts://broker:8883");

function errorOf(code: string) {
  return socketError(url, Object.assign(new Error("it failed"), { code }));
}

test.each([
  "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
  "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED",
  "ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED",
  "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
])("%s is the broker's word on this side's certificate: unauthenticated", (code) => {
  expect(errorOf(code).code).toBe("unauthenticated");
});

test.each([
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
])("%s is this side's word on the broker's: unavailable, with whom to trust", (code) => {
  expect(errorOf(code)).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("tls.ca"),
  });
});
