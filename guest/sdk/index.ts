// What a function may import from "mayfly".

export { Blob, BlobInfo, BlobPage, Bucket, blobs } from "./blobs";
export { BodyStream } from "./body-stream";
export { CloudEvent } from "./cloud-event";
export { env } from "./env";
export { events } from "./events";
export { fetch, fetchRequest } from "./fetch";
export { FetchRequest } from "./fetch-request";
export { FetchResponse } from "./fetch-response";
export { Headers } from "./headers";
export { JsonArray } from "./json/array";
export { JSON } from "./json/json";
export { JsonObject } from "./json/object";
export { JsonValue } from "./json/value";
export { KvPage, KvStore, kv } from "./kv";
export { log } from "./log";
export { now } from "./now";
export { random } from "./random";
export { Request } from "./request";
export { Response } from "./response";
export { EventStream, ResponseStream } from "./response-stream";
export { secrets } from "./secrets";
export { sleep } from "./sleep";
