import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { describeDatabase, parseDatabaseUrl } from "../../host/postgres/database-url.ts";

test("a URL says where the database is and how it is entered", () => {
  assert.deepEqual(
    parseDatabaseUrl("postgres://bob:p%40ss%2Fw@db.example.org:6543/my%20shop?sslmode=require"),
    {
      ...{ host: "db.example.org", port: 6543, name: "my shop", user: "bob", password: "p@ss/w" },
      tls: "encrypted",
    },
  );
  const plain = parseDatabaseUrl("postgresql://bob@[fd00::1]/shop");
  assert.deepEqual(
    [plain.host, plain.port, plain.password, describeDatabase(plain)],
    ["fd00::1", 5432, "", "[fd00::1]:5432/shop"],
  );
});

test("a connection that leaves the machine has a verified certificate unless its URL says otherwise", () => {
  const tlsOf = (host: string, query = ""): string =>
    parseDatabaseUrl(`postgres://u:p@${host}/d${query}`).tls;
  for (const host of ["localhost", "127.0.0.1", "127.3.2.1", "[::1]"]) assert.equal(tlsOf(host), "off", host);
  for (const host of ["10.0.0.1", "db", "127.0.0.1.example.org", "[fd00::1]"]) {
    assert.equal(tlsOf(host), "verified", host);
  }
  assert.equal(tlsOf("db", "?sslmode=disable"), "off");
  assert.equal(tlsOf("localhost", "?sslmode=verify-full"), "verified");
});

test("a URL that is none is refused, and nothing of it is told", () => {
  for (const text of [
    "",
    "hunter2",
    "http://hunter2:hunter2@hunter2/hunter2",
    "postgres://hunter2:hunter2@/hunter2",
    "postgres://hunter2:hunter2@hunter2",
    "postgres://hunter2:hunter2@hunter2/",
    "postgres://hunter2.example.org/hunter2",
    "postgres://hunter2:%zz@hunter2/hunter2",
    "postgres://hunter2:%00@hunter2/hunter2",
    "postgres://hunter2:hunter2@hunter2:99999/hunter2",
    "postgres://hunter2:hunter2@hunter2/hunter2?sslmode=hunter2",
    "postgres://hunter2:hunter2@hunter2/hunter2?sslmode=prefer",
    "postgres://hunter2:hunter2@hunter2/hunter2?sslmode=disable&sslmode=require",
    "postgres://hunter2:hunter2@hunter2/hunter2?sslkey=/etc/hunter2",
    "postgres://hunter2:hunter2@hunter2/hunter2?host=/tmp",
  ]) {
    assert.throws(
      () => parseDatabaseUrl(text),
      (error) =>
        error instanceof HostError && error.code === "invalid_trigger" && !error.message.includes("hunter2"),
      text,
    );
  }
});
