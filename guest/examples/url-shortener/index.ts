// Keeps links under short names, leads visitors there and counts them.
//
//   curl -d 'https://webassembly.org/specs/' http://127.0.0.1:4747/fn/url-shortener
//   curl -i http://127.0.0.1:4747/fn/url-shortener/k3x9wq
//   curl http://127.0.0.1:4747/fn/url-shortener/k3x9wq/visits
//
// Two who ask for a link at once never get the same name: a name is taken only while nobody has it.

import { JsonObject, kv, Request, Response, random } from "mayfly";

// Without those that are taken for one another.
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
const NAME_LENGTH = 6;

export function handle(req: Request): Response {
  if (req.path === "/") {
    if (req.method !== "POST")
      return Response.text("POST a link to shorten it\n", 405).header("allow", "POST");
    return shorten(req.text());
  }
  const parts = req.path.slice(1).split("/");
  const url = kv.open("links").get(parts[0]);
  if (url === null) return Response.text("No such link\n", 404);
  const visits = kv.open("visits");
  if (parts.length === 2 && parts[1] === "visits") {
    return Response.json(new JsonObject().set("visits", visits.increment(parts[0], 0)).toString());
  }
  if (parts.length > 1) return Response.text("No such page\n", 404);
  visits.increment(parts[0]);
  return Response.redirect(url);
}

function shorten(url: string): Response {
  const link = url.trim();
  if (!link.startsWith("https://") && !link.startsWith("http://")) {
    return Response.text("Send a link that begins with http:// or https://\n", 400);
  }
  const links = kv.open("links");
  let name = newName();
  while (!links.compareAndSet(name, null, link)) name = newName();
  const answer = new JsonObject().set("name", name).set("url", link);
  return Response.json(answer.toString(), 201);
}

function newName(): string {
  const bytes = random(NAME_LENGTH);
  let name = "";
  for (let i = 0; i < NAME_LENGTH; i++) name += LETTERS.charAt(bytes[i] % LETTERS.length);
  return name;
}
