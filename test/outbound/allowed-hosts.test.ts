import { strict as assert } from "node:assert";
import { test } from "node:test";
import { AllowedHosts, isHostPattern } from "../../host/allowed-hosts.ts";
import { isPublicAddress } from "../../host/outbound/addresses.ts";

const patterns = [
  "*",
  "*:443",
  "example.com",
  "example.com:8080",
  "*.example.com",
  "münchen.example",
  "10.0.0.0/8",
  "10.0.0.0/8:80",
  "127.1",
  "::1",
  "[::1]:80",
  "fd00::/8",
  "[fd00::]/8:80",
];
for (const pattern of patterns) {
  test(`${pattern} is a pattern`, () => assert.ok(isHostPattern(pattern)));
}

const notPatterns = [
  "",
  " ",
  "a b",
  "http://a",
  "a/b",
  "a/8",
  "*/8",
  "*.*.a",
  "a.*",
  "**",
  "*.10.0.0.1",
  "a?b",
  "a#b",
  "u@h",
  "a\\b",
  "a:0",
  "a:65536",
  "a:-1",
  "a:b",
  "10.0.0.0/33",
  "::/129",
  "[::1",
  "%00",
];
for (const pattern of notPatterns) {
  test(`${JSON.stringify(pattern)} is no pattern`, () => assert.ok(!isHostPattern(pattern)));
}

const rows: [pattern: string, host: string, port: number, allowed: boolean][] = [
  ["*", "anything.example", 1234, true],
  ["*:443", "a.example", 443, true],
  ["*:443", "a.example", 80, false],
  ["example.com", "example.com", 8080, true],
  ["EXAMPLE.com.", "example.com", 80, true],
  ["example.com", "www.example.com", 80, false],
  ["example.com", "notexample.com", 80, false],
  ["example.com:8080", "example.com", 80, false],
  ["*.example.com", "a.b.example.com", 80, true],
  ["*.example.com", "example.com", 80, false],
  ["*.example.com", "notexample.com", 80, false],
  ["münchen.example", "xn--mnchen-3ya.example", 80, true],
  ["10.0.0.0/8", "10.255.0.1", 80, true],
  ["10.0.0.0/8", "11.0.0.1", 80, false],
  ["10.0.0.0/8", "10.example.com", 80, false],
  ["2130706433", "127.0.0.1", 80, true],
  ["0x7f.1", "127.0.0.1", 80, true],
  ["127.0.0.1", "::ffff:7f00:1", 80, true],
  ["::1", "::1", 80, true],
  ["[::1]:80", "::1", 81, false],
  ["fd00::/8", "fdff::1", 80, true],
  ["fd00::/8", "fe00::1", 80, false],
];
for (const [pattern, host, port, allowed] of rows) {
  test(`${pattern} ${allowed ? "allows" : "does not allow"} ${host} on port ${port}`, () => {
    assert.equal(new AllowedHosts([pattern]).allows(host, port), allowed);
  });
}

test("nothing is allowed unless it is listed", () => {
  assert.equal(new AllowedHosts([]).allows("example.com", 443), false);
});

test("only addresses and ranges list an address: a name or * does not", () => {
  assert.equal(new AllowedHosts(["*", "localhost", "*.local"]).lists("127.0.0.1", 80), false);
  assert.equal(new AllowedHosts(["127.0.0.0/8:80"]).lists("127.0.0.1", 80), true);
  assert.equal(new AllowedHosts(["127.0.0.0/8:80"]).lists("127.0.0.1", 81), false);
});

// One address of each block of the special-purpose registries (RFC 6890), and of its edges.
const special = [
  "0.0.0.0",
  "10.0.0.1",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.255",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::7f00:1",
  "64:ff9b::7f00:1",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "5f00::1",
  "fc00::1",
  "fdff::1",
  "fe80::1",
  "fe80::1%lo",
  "ff02::1",
  "localhost",
  "",
];
for (const address of special) {
  test(`${JSON.stringify(address)} is not public`, () => assert.equal(isPublicAddress(address), false));
}

for (const address of ["1.1.1.1", "100.63.0.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a00::1"]) {
  test(`${address} is public`, () => assert.equal(isPublicAddress(address), true));
}
