// Makes a small picture of each PNG that is put into a bucket, in another one.
//
//   mayfly trigger add thumbnail on-photos bucket=photos suffix=.png
//   mayfly blob put photos cat.png ./cat.png --type image/png
//   mayfly blob get thumbnails cat.png -o small.png
//
// Large ones take more than the standard second of CPU: mayfly config thumbnail cpuMs=10000
//
// A blob that is no PNG this can read is said to be one in the log, and left: it would be none the next
// time either. One that a later event is about is gone, or has been done already.

import { blobs, events, JSON, JsonArray, JsonObject, log, Request, Response } from "mayfly";
import { readPng } from "./png-read";
import { writePng } from "./png-write";
import { shrink } from "./shrink";

const SIDE = 128;

export function handle(req: Request): Response {
  const event = events.from(req);
  if (event === null) return list();
  const data = JSON.parse(event.text());
  if (data === null) return Response.text("no change of a blob\n", 400);
  const changed = data.asObject();
  if (changed === null) return Response.text("no change of a blob\n", 400);
  const bucket = changed.getString("bucket");
  const key = changed.getString("key");
  if (bucket === null || key === null) return Response.text("no change of a blob\n", 400);
  make(bucket, key);
  return new Response(204);
}

function make(bucket: string, key: string): void {
  const blob = blobs.open(bucket).get(key);
  if (blob === null) return;
  const picture = readPng(blob.body);
  if (picture === null) {
    log.warn(key + " is no PNG of 8 bits a channel, not interlaced, of up to 8 million pixels");
    return;
  }
  const small = shrink(picture, SIDE);
  blobs.open("thumbnails").put(key, writePng(small), "image/png");
  log.info(key + ": " + small.width.toString() + " x " + small.height.toString());
}

function list(): Response {
  const found = blobs.open("thumbnails").list().blobs;
  const names = new JsonArray();
  for (let i = 0; i < found.length; i++) names.push(found[i].key);
  return Response.json(new JsonObject().set("thumbnails", names).toString());
}
